package account

import (
	"strings"
	"testing"
)

// hidden are names with something in them that is not seen, or moves the rest.
var hidden = []string{
	"Acme\u202epohS", "\u202dAcme", "Acme\u2066Shop\u2069", "Acme\u200fShop", "Acme\u061cShop", // turned
	"Ac\u200bme", "Ac\u200cme", "Ac\u200dme", "\ufeffAcme", "Ac\u2060me", "Ac\u00adme", "Ac\u034fme", "Acme\ufe0f", "Ac\u180eme", "\u115fAcme", "Acme\u3164", "Acme\u2800Shop", // unseen
	"Acme\nShop", "Acme\rShop", "Acme\tShop", "Acme\u2028Shop", "Acme\u2029Shop", "Acme\u0085Shop", "Acme\x00", "Acme\x1b[31m", "Acme\x7f", // lines and controls
	"Acme\u00a0Shop", "Acme\u2003Shop", "Acme\u3000Shop", "Acme  Shop", " Acme", "Acme ", // spaces
	"Acme\ue000", "Acme\U000e0041", "Acme\xff", "Acme\ufffd", "Acme\u034f", // nothing
	strings.Repeat("a", 65), strings.Repeat("a", 1000), strings.Repeat("é", 65), "", "   ", // sizes
}

// pretending are names that look like others.
var pretending = []string{
	"Аcme", "Acmе", "Αcme", "Acmeο", "Ꭺcme", "Acmе Shop", "Shop Асме", "Aсme", "Acmߋ", "Acme ショップ", "ᎪᏟᎷᎬ", "ꓐꓰꓢꓔ", "ⲀⲥⲙⲈ", // scripts
	"𝐀𝐜𝐦𝐞", "Ａｃｍｅ", "Ⓐcme", "Acⅿe", "ﬁsh", "Acme™", "K\u212a", "Ac\u0301me e\u0301", "PayPa\u01c0", "\u0261oogle", "Gᴏogle", // forms
	"✔ Verified", "Verified ✅", "Acme ☑️", "Acme 🛡", "🇩🇪 Acme", "Acme 1️⃣", "Acme ®", "Acme ★", "Acme •", "<b>Acme</b>", "Acme|Verified", "Acme = Bank", "Acme $", "Acme + Bank", // badges
	"123", "!!!", "\u0301Acme", "A\u0315\u0315\u0315\u0315\u0315cme", "Acme \u0315", "A1\u0315", "A\u20ddcme", "٥٥ Acme", "ʼAcme", // signs
}

// names are honest.
var names = []string{
	"Acme", "Acme Shop", "A", "7 Seas", "1&1 Mail", "O’Reilly", "O'Reilly & Sons, Inc.", "Łódź Café", "Straße", "Ærø", "Işık", "Tiếng Việt", "Acme (Berlin) – Shop", "Yahoo!",
	"Qué pasa? ¡Sí!", "C# School", "Node.js", "A-Z", "24/7 Fit", "100% Shop", "Магазин", "Ёлка и Ко", "Κατάστημα", "Խանութ", "חנות", "متجر", "दुकान", "ร้านค้า", "店铺", "楽天ショップ", "メルカリ",
	"お店・みせ", "한국 상점", "商店ㄅ", "მაღაზია", "ሱቅ", strings.Repeat("é", 64), "Catal·là",
}

func TestANameIsWhatItLooksLike(t *testing.T) {
	judge(t, func(name string) string { return nameRule(name, false) }, names, append(hidden, pretending...))
}

func TestAnOperatorMayApproveWhatIsSeenAndNothingElse(t *testing.T) {
	judge(t, func(name string) string { return nameRule(name, true) },
		append([]string{"Plus+", "Acme ショップ", "Acme™", "★ Acme", "Yandex Яндекс", "1"}, names...),
		hidden)
}

func TestAPurposeIsOneReadableLine(t *testing.T) {
	judge(t, func(text string) string { return textRule(text, maxPurpose) },
		[]string{"to greet you", "to show 5 € + tax → in your feed 🎉", "برای نمایش می\u200cخواهم", "क्\u200dष", strings.Repeat("é", 200), " to greet you. "},
		[]string{"", " ", "\u200c", "a\nb", "a\u202eb", "a\u200bb", "a\x00", strings.Repeat("é", 201), "a\xff", strings.Repeat("\u200d", 201) + "a"})
}
