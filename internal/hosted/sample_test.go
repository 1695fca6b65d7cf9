package hosted

import (
	"bytes"
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
		"pre-login-again":     PreLogin{Reconnect: "ada@creator.sandbox.com"},
		"pre-login-providers": PreLogin{Providers: []ProviderChoice{{ID: "sandbox", Name: "Sandbox", Domain: "sandbox.com", Selected: true}, {ID: "atproto", Name: "Bluesky", Domain: "bsky.app"}}},
		"authorization": Authorization{Permissions: []latchkey.Permission{
			{Name: "profile:read", Purpose: "to show your name and picture beside your posts"},
			{Name: "posts:write", Purpose: "to publish the posts you schedule in Acme"},
		}},
		"authorization-bare":        Authorization{},
		"login":                     Login{Prompt: loginPrompt},
		"login-refused":             Login{Prompt: loginPrompt, Refused: latchkey.FailureInvalidCredentials, AttemptsLeft: 3},
		"login-unavailable":         Login{Prompt: loginPrompt, Refused: latchkey.FailureProviderUnavailable},
		"2fa":                       TwoFactor{Prompt: codePrompt},
		"2fa-refused":               TwoFactor{Prompt: codePrompt, Refused: latchkey.FailureTwoFactor, AttemptsLeft: 1},
		"2fa-methods":               TwoFactor{Prompt: withMethods(codePrompt, "phone", "app", "forceFace", "pigeon")},
		"redirect":                  Redirect{URL: "https://sandbox.example/authorize"},
		"wait":                      Wait{},
		"wait-looked":               Wait{Message: "Approve the login on your other device.", Looked: true},
		"wait-unavailable":          Wait{Refused: latchkey.FailureProviderUnavailable},
		"authorization-unavailable": Authorization{Refused: latchkey.FailureProviderUnavailable},
		"trying":                    Trying{},
		"done":                      Done{Username: "ada@creator.sandbox.com", ReturnURL: "https://acme.example/linked"},
		"done-bare":                 Done{},
		"error":                     Error{Code: latchkey.FailureAccountLocked, CanContinue: true},
		"error-unknown":             Error{Code: "no_such_code"},
		"expired":                   Expired{CanContinue: true},
		"gone":                      Gone{},
		"not-found":                 NotFound{},
	}
}

// samplePage is a page with everything that every page can show.
func samplePage(content Content) Page {
	return Page{
		AppName: "Acme", AppDomain: "acme.example", ProviderName: "Sandbox", ProviderDomain: "sandbox.com",
		Sandbox: true, AssetPrefix: "/static/" + AssetHash(), Action: "/cs_sample", Version: 7,
		RequestID: "req_0123456789abcdefABCDEF", CanGoBack: true, Content: content,
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
