package hosted

import (
	"bytes"
	"strings"
	"testing"

	"latchkey"

	"github.com/PuerkitoBio/goquery"
)

var loginPrompt = latchkey.Prompt{Fields: []latchkey.Field{
	{Name: "username", Type: latchkey.FieldText, Label: "Email or handle", Autocomplete: "username", Required: true},
	{Name: "password", Type: latchkey.FieldPassword, Label: "Password", Autocomplete: "current-password", Required: true},
}}

var codePrompt = latchkey.Prompt{
	Fields:    []latchkey.Field{{Name: "code", Type: latchkey.FieldCode, Label: "Code", Autocomplete: "one-time-code", Required: true}},
	CanResend: true,
	TwoFactor: &latchkey.TwoFactorState{
		Options: []string{"phone"}, PhoneLast4: "4821",
		PhoneCode: &latchkey.CodeBudget{RequestAttemptsLimit: 3, RequestAttemptsLeft: 2, CheckAttemptsLimit: 3, CheckAttemptsLeft: 3},
	},
}

// withMethods is the prompt with a choice of second factors.
func withMethods(prompt latchkey.Prompt, methods ...string) latchkey.Prompt {
	prompt.Methods = methods
	return prompt
}

// sampleContents holds each page in every shape that draws differently, by
// the name of its picture.
func sampleContents() map[string]Content {
	return map[string]Content{
		"pre-login":           PreLogin{},
		"reconnect":           Reconnect{},
		"pre-login-again":     PreLogin{Reconnect: "ada@creator.sandbox.com"},
		"pre-login-providers": PreLogin{Many: true, Providers: []ProviderChoice{{ID: "sandbox", Name: "Sandbox", Domain: "sandbox.com", Selected: true}, {ID: "atproto", Name: "Bluesky", Domain: "bsky.app"}}},
		"authorization": Authorization{Permissions: []latchkey.Permission{
			{Name: "profile:read", Purpose: "to show your name and picture beside your posts"},
			{Name: "posts:write", Purpose: "to publish the posts you schedule in Acme"},
		}},
		"authorization-bare":        Authorization{},
		"pre-login-search":          PreLogin{Many: true, Searching: true, Search: "sand", Providers: manyProviders()},
		"pre-login-none":            PreLogin{Many: true, Searching: true, Search: "nothing like it"},
		"login":                     Login{Prompt: loginPrompt},
		"login-again":               Login{Prompt: loginPrompt, Reconnect: "ada@creator.sandbox.com"},
		"login-refused":             Login{Prompt: loginPrompt, Refused: latchkey.FailureInvalidCredentials, AttemptsLeft: 3},
		"login-unavailable":         Login{Prompt: loginPrompt, Refused: latchkey.FailureProviderUnavailable},
		"2fa":                       TwoFactor{Prompt: codePrompt},
		"2fa-refused":               TwoFactor{Prompt: codePrompt, Refused: latchkey.FailureTwoFactor, AttemptsLeft: 1},
		"2fa-soon":                  TwoFactor{Prompt: codePrompt, ResendIn: 28},
		"2fa-methods":               TwoFactor{Prompt: withMethods(codePrompt, "phone", "app", "forceFace", "pigeon")},
		"redirect":                  Redirect{Path: "/s/cs_1/provider"},
		"wait":                      Wait{},
		"wait-face":                 Wait{Message: "Look into the camera of your device.", URL: "https://sandbox.com/face", PollIn: 2},
		"wait-looked":               Wait{Message: "Approve the login on your other device.", Looked: true},
		"wait-unavailable":          Wait{Refused: latchkey.FailureProviderUnavailable},
		"authorization-unavailable": Authorization{Refused: latchkey.FailureProviderUnavailable},
		"trying":                    Trying{},
		"done":                      Done{Username: "ada@creator.sandbox.com", ReturnURL: "https://acme.example/linked"},
		"done-bare":                 Done{},
		"error":                     Error{Code: latchkey.FailureAccountLocked, CanContinue: true},
		"error-mismatch":            Error{Code: latchkey.FailureAccountMismatch, CanContinue: true, Expected: "ada@creator.sandbox.com", Came: "eve@creator.sandbox.com"},
		"cancelled":                 Cancelled{ReturnURL: "https://acme.example/linked"},
		"elsewhere":                 Elsewhere{},
		"returned":                  Returned{},
		"lost":                      Lost{},
		"foreign":                   Foreign{Path: "/cs_sample"},
		"trouble":                   Trouble{Status: 500},
		"trouble-busy":              Trouble{Status: 429},
		"error-unknown":             Error{Code: "no_such_code"},
		"expired":                   Expired{CanContinue: true},
		"gone":                      Gone{},
		"not-found":                 NotFound{},
	}
}

func manyProviders() []ProviderChoice {
	var list []ProviderChoice
	for _, name := range []string{"Sandbox", "Bluesky", "Matrix", "GitHub", "GitLab", "Mastodon", "Dropbox", "Spotify"} {
		list = append(list, ProviderChoice{ID: strings.ToLower(name), Name: name, Domain: strings.ToLower(name) + ".example"})
	}
	return list
}

// samplePage is a page with everything that every page can show.
func samplePage(content Content) Page {
	return Page{
		AppName: "Acme", AppDomain: "acme.example", ProviderName: "Sandbox", ProviderDomain: "sandbox.com",
		Sandbox: true, AssetPrefix: "/static/" + AssetHash(), Action: "/cs_sample", Version: 7,
		RequestID: "req_0123456789abcdefABCDEF", CanGoBack: true, Content: content,
		Languages: []Language{
			{Tag: "en", Name: "English", Query: "?lang=en", Current: true},
			{Tag: "ar", Name: "العربية", Query: "?lang=ar"},
		},
	}
}

// draw renders the page and parses what came out.
func draw(t *testing.T, page Page) *goquery.Document {
	t.Helper()
	document, err := goquery.NewDocumentFromReader(bytes.NewReader(drawBytes(t, page)))
	if err != nil {
		t.Fatalf("parse page %s: %v", page.Content.name(), err)
	}
	return document
}

func drawBytes(t *testing.T, page Page) []byte {
	t.Helper()
	var html bytes.Buffer
	if err := Render(&html, page); err != nil {
		t.Fatal(err)
	}
	return html.Bytes()
}
