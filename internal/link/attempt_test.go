package link

import (
	"testing"
	"unicode/utf8"
)

func TestTheNamesOfOneAccountAreOne(t *testing.T) {
	for want, names := range map[string][]string{
		"ada@shop.example": {
			"ada@shop.example", "ADA@Shop.Example", " ada@shop.example\t", "a d a@shop.example", "ada+1@shop.example",
			"ada+@shop.example", "ada+a+b@shop.example", "ada@shop.example.", "ada@shop.example..", "ad\u200ba@shop.example",
			"\ufeffada@shop.example", "ada\u00ad@shop.example", "ada@shop.example\u200d", "ａｄａ＠ｓｈｏｐ．example",
			"ada\ufe0f@shop.example", "a\u034fda@shop.example", "ada\u3164@shop.example", "ada\u00a0@shop.example", "ada\x00@shop.example",
			"ada\U000e0061@shop.example", "\u202eada@shop.example", "𝐚𝐝𝐚@shop.example", "ⓐⓓⓐ@shop.example",
		},
		"adé@shop.example": {"adé@shop.example", "ade\u0301@shop.example", "ADÉ@shop.example", "ade\u200d\u0301@shop.example"},
		"strasse":          {"strasse", "straße", "STRASSE", "STRAẞE", "@Strasse", "@@strasse"},
		"ada":              {"ada", "Ada", "@ada", " @ada", "＠ada", "ada "},
		"ada+1":            {"ada+1", "ADA+1"}, // no address: the sign may be part of the name
		"+49170":           {"+49170", "+49 170", "＋４９１７０"},
		"+1@shop.example":  {"+1@shop.example"}, // nothing would be left
		"ada@":             {"ada@", "@ada@"},
		"fi@shop.example":  {"ﬁ@shop.example", "FI@shop.example"},
		"":                 {"", " ", "@", "\u200b\u3164"},
	} {
		for _, name := range names {
			if got := canonicalName(name); got != want {
				t.Errorf("%+q is %+q, want %+q", name, got, want)
			}
		}
	}
	t.Run("and those of others are others", func(t *testing.T) {
		seen := map[string]string{}
		for _, name := range []string{"ada@a.example", "ada@b.example", "eve@a.example", "ada", "ad.a@a.example", "ada1@a.example", "аda@a.example"} {
			canonical := canonicalName(name)
			if other, ok := seen[canonical]; ok {
				t.Errorf("%q and %q are one", name, other)
			}
			seen[canonical] = name
		}
	})
}

// FuzzCanonicalName wants that a name which is canonical stays as it is: else
// it would have two budgets.
func FuzzCanonicalName(f *testing.F) {
	for _, seed := range []string{"ada@shop.example", "ADE\u200d\u0301+1@x.", "@@ada", "ΐ\u0345", "İ", "\u0345\u0313", "ﬃ@ﬃ.", "a@+@", "ẞ+ẞ@ẞ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		once := canonicalName(name)
		if !utf8.ValidString(once) {
			t.Errorf("%+q becomes %+q, which is no text", name, once)
		}
		if len(once) > 20*len(name)+20 {
			t.Errorf("%d bytes become %d", len(name), len(once))
		}
		if twice := canonicalName(once); twice != once {
			t.Errorf("%+q becomes %+q and that %+q", name, once, twice)
		}
	})
}
