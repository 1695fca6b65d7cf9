package hosted

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"

	"latchkey"
)

// hostileTexts are what somebody may call an app, a provider, a field.
var hostileTexts = map[string]string{
	"a script":             `<script>alert(1)</script>`,
	"a broken attribute":   `"><img src=x onerror=alert(1)>`,
	"single quotes":        `' autofocus onfocus='alert(1)`,
	"a style":              `</style><style>*{display:none}`,
	"template syntax":      `{{.RequestID}} {app} {x} ${7*7}`,
	"a javascript address": `javascript:alert(1)`,
	"another host":         `//evil.example/x`,
	"an override":          "moc.elgoog\u202egro.live\u2066\u200f",
	"a thousand letters":   strings.Repeat("W", 1000),
	"stacked marks":        "Z" + strings.Repeat("\u0334", 300),
	"broken UTF-8":         "\xff\xfe<b>\xc0\x80",
	"lines and zeros":      "a\x00b\r\nc\u2028d\x1b[31m",
	"nothing":              "",
}

// steers reports whether the character draws nothing itself and changes what
// others look like.
func steers(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || unicode.IsControl(r) && r != '\n'
}

// hostilePage is the page with the text wherever a foreign text can stand.
func hostilePage(content Content, text string) Page {
	page := samplePage(content)
	page.AppName, page.AppDomain = text, text
	page.ProviderName, page.ProviderDomain = text, text
	page.Lang, page.Theme, page.RequestID = text, text, text
	prompt := latchkey.Prompt{
		Fields: []latchkey.Field{
			{Name: text, Type: latchkey.FieldText, Label: text, Autocomplete: text, Required: true},
			{Name: text, Type: latchkey.FieldPassword, Label: text, Autocomplete: text},
			{Name: text, Type: latchkey.FieldCode, Label: text, Autocomplete: text},
			{Name: text, Type: latchkey.FieldType(text), Label: text},
		},
		Methods: []string{text, "app", text}, Message: text, CanResend: true,
		TwoFactor: &latchkey.TwoFactorState{PhoneLast4: text},
	}
	switch content.(type) {
	case PreLogin:
		page.Content = PreLogin{
			Reconnect: text, Many: true, Searching: true, Search: text,
			Providers: []ProviderChoice{{ID: text, Name: text, Domain: text}, {ID: "b"}},
		}
	case Authorization:
		page.Content = Authorization{Permissions: []latchkey.Permission{{Name: text, Purpose: text}, {Name: "profile:read"}}}
	case Login:
		page.Content = Login{Prompt: prompt, Refused: latchkey.FailureCode(text), AttemptsLeft: 1, Reconnect: text}
	case TwoFactor:
		page.Content = TwoFactor{Prompt: prompt, Refused: latchkey.FailureCode(text), AttemptsLeft: 1}
	case Redirect:
		page.Content = Redirect{Path: "/s/" + url.PathEscape(text) + "/provider"}
	case Wait:
		page.Content = Wait{Message: text, Looked: true, URL: text}
	case Done:
		page.Content = Done{Username: text, ReturnURL: text}
	case Error:
		page.Content = Error{Code: latchkey.FailureCode(text), Title: text, Explanation: text, CanContinue: true}
		page.HostOrigin, page.Messages, page.Leave = text, text, text
	case Cancelled:
		page.Content = Cancelled{ReturnURL: text}
	case Foreign:
		page.Content = Foreign{Path: "/cs_sample"}
	}
	return page
}

func TestHostileNamesStayText(t *testing.T) {
	for what, text := range hostileTexts {
		for _, content := range contents {
			t.Run(what+" on "+content.name(), func(t *testing.T) {
				page := hostilePage(content, text)
				document := draw(t, page)
				if found := strings.IndexFunc(document.Text(), steers); found >= 0 {
					t.Errorf("a character that steers the text is drawn at %d", found)
				}
				checkInert(t, document)
				checkForms(t, document)
				if !slices.Contains([]string{"redirect", "done", "cancelled"}, content.name()) {
					checkLocal(t, document)
				}
				if strings.Contains(document.Text(), strings.Repeat("W", 402)) {
					t.Error("a text is drawn at more than its limit")
				}
			})
		}
	}
}
