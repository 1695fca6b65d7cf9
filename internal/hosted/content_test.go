package hosted

import (
	"strings"
	"testing"

	"latchkey"

	"github.com/PuerkitoBio/goquery"
)

// words returns the text of the selection with its white space made single.
func words(selection *goquery.Selection) string {
	return strings.Join(strings.Fields(selection.Text()), " ")
}

func wantWords(t *testing.T, document *goquery.Document, selector, want string) {
	t.Helper()
	if got := words(document.Find(selector)); got != want {
		t.Errorf("%s says %q, want %q", selector, got, want)
	}
}

func TestLogin(t *testing.T) {
	const receiver = "You are giving your Sandbox password to Latchkey, run by the operator of this site. " +
		"Latchkey uses it to sign in to sandbox.com for Acme. Acme never sees it."

	t.Run("says who receives the password, next to it and tied to it", func(t *testing.T) {
		document := draw(t, samplePage(Login{Prompt: loginPrompt}))
		wantWords(t, document, "form #receiver", receiver)
		if document.Find(`input[type=password][aria-describedby~=receiver]`).Length() != 1 {
			t.Error("the password is not described by the sentence")
		}
	})
	t.Run("a password asked for as a second step has the sentence too", func(t *testing.T) {
		wantWords(t, draw(t, samplePage(TwoFactor{Prompt: loginPrompt})), "form #receiver", receiver)
	})
	t.Run("a prompt's own message does not replace the sentence", func(t *testing.T) {
		prompt := loginPrompt
		prompt.Message = "Acme is your friend."
		document := draw(t, samplePage(Login{Prompt: prompt}))
		wantWords(t, document, ".lead", "Acme is your friend.")
		wantWords(t, document, "#receiver", receiver)
	})
	t.Run("the title names the provider and the app", func(t *testing.T) {
		wantWords(t, draw(t, samplePage(Login{Prompt: loginPrompt})), "title", "Sign in to Sandbox — Acme")
	})
	t.Run("inputs help password managers and leave names alone", func(t *testing.T) {
		document := draw(t, samplePage(Login{Prompt: loginPrompt}))
		for _, selector := range []string{
			`input[name=username][type=text][autocomplete=username][autocapitalize=none][spellcheck=false][required]`,
			`input[name=password][type=password][autocomplete=current-password][required]`,
		} {
			if document.Find(selector).Length() != 1 {
				t.Errorf("no %s", selector)
			}
		}
		if document.Find("input[value]:not([type=hidden])").Length() > 0 {
			t.Error("an input is filled in")
		}
	})
	t.Run("a refusal is told above, beside the field and in the title", func(t *testing.T) {
		document := draw(t, samplePage(Login{Prompt: loginPrompt, Refused: latchkey.FailureInvalidCredentials, AttemptsLeft: 3}))
		wantWords(t, document, "[role=alert] p", "Sandbox did not accept these details. Check them and try again. 3 attempts left.")
		if document.Find(`input[aria-invalid=true][aria-describedby~=refusal]`).Length() != 2 || document.Find("#refusal").Length() != 1 {
			t.Error("the inputs are not tied to the refusal")
		}
		wantWords(t, document, "title", "Error: Sign in to Sandbox — Acme")
	})
	t.Run("the last attempt is called so", func(t *testing.T) {
		wantWords(t, draw(t, samplePage(Login{Prompt: loginPrompt, Refused: latchkey.FailureInvalidCredentials, AttemptsLeft: 1})),
			".attempts", "This is the last attempt.")
	})
	t.Run("an unreachable provider does not blame the person", func(t *testing.T) {
		document := draw(t, samplePage(Login{Prompt: loginPrompt, Refused: latchkey.FailureProviderUnavailable}))
		if document.Find("[role=alert]").Length() != 1 || document.Find("[aria-invalid]").Length() != 0 {
			t.Error("want an alert and no invalid input")
		}
	})
	t.Run("a question asked first has no alert", func(t *testing.T) {
		if draw(t, samplePage(Login{Prompt: loginPrompt})).Find("[role=alert], [aria-invalid]").Length() != 0 {
			t.Error("there is an alert")
		}
	})
}

func TestTwoFactor(t *testing.T) {
	t.Run("the code is typed on a number pad and filled in by the phone", func(t *testing.T) {
		document := draw(t, samplePage(TwoFactor{Prompt: codePrompt}))
		if document.Find(`input[name=code][inputmode=numeric][autocomplete=one-time-code][pattern][data-focus]`).Length() != 1 {
			t.Error("the input for the code is not made for codes")
		}
		wantWords(t, document, ".lead", "Sandbox sent a code to the phone ending in 4821.")
		wantWords(t, document, "#resends", "2 more codes can be sent.")
	})
	t.Run("methods are a choice of which one is made", func(t *testing.T) {
		document := draw(t, samplePage(TwoFactor{Prompt: withMethods(codePrompt, "phone", "app")}))
		if got := document.Find("fieldset input[type=radio][name=method]").Length(); got != 2 {
			t.Errorf("%d methods, want 2", got)
		}
		if got := document.Find("input[checked]").AttrOr("value", ""); got != "phone" {
			t.Errorf("%q is chosen at first, want phone", got)
		}
		if document.Find("[data-focus], [autofocus]").Length() != 0 {
			t.Error("the focus skips the choice")
		}
	})
	t.Run("one method is no choice", func(t *testing.T) {
		if draw(t, samplePage(TwoFactor{Prompt: withMethods(codePrompt, "app")})).Find("[name=method]").Length() != 0 {
			t.Error("the method is asked for")
		}
	})
	t.Run("no code can be asked for when none is left or it can't be sent", func(t *testing.T) {
		spent := codePrompt
		spent.TwoFactor = &latchkey.TwoFactorState{PhoneCode: &latchkey.CodeBudget{RequestAttemptsLimit: 3}}
		fixed := codePrompt
		fixed.CanResend = false
		for what, prompt := range map[string]latchkey.Prompt{"spent": spent, "fixed": fixed} {
			if draw(t, samplePage(TwoFactor{Prompt: prompt})).Find("button[value=resend]").Length() != 0 {
				t.Errorf("%s: resend is offered", what)
			}
		}
	})
	t.Run("the smaller count of attempts is told", func(t *testing.T) {
		for left, want := range map[int]string{0: "3 attempts left.", 2: "2 attempts left.", 9: "3 attempts left."} {
			wantWords(t, draw(t, samplePage(TwoFactor{Prompt: codePrompt, AttemptsLeft: left})), "form > .note", want)
		}
	})
}

func TestAuthorization(t *testing.T) {
	document := draw(t, samplePage(sampleContents()["authorization"]))
	t.Run("says who asks, with the verified domain", func(t *testing.T) {
		wantWords(t, document, "header .asker", "Asked by Acme verified domain acme.example")
	})
	t.Run("lists every permission with its purpose", func(t *testing.T) {
		wantWords(t, document, ".permissions li:nth-child(1)", "Read your profile profile:read to show your name and picture beside your posts")
		wantWords(t, document, ".permissions li:nth-child(2)", "Publish posts for you posts:write to publish the posts you schedule in Acme")
	})
	t.Run("says what is never shared and how to take it back", func(t *testing.T) {
		promises := words(document.Find(".promises"))
		for _, want := range []string{"Your password is never shown to Acme.", "You can take this back at any time"} {
			if !strings.Contains(promises, want) {
				t.Errorf("%q is missing", want)
			}
		}
	})
	t.Run("a purpose that was not given is called missing", func(t *testing.T) {
		wantWords(t, draw(t, samplePage(Authorization{Permissions: []latchkey.Permission{{Name: "posts:read"}}})),
			".permissions p", "Acme gave no reason.")
	})
}

func TestPreLogin(t *testing.T) {
	t.Run("several providers are a choice that must be made", func(t *testing.T) {
		document := draw(t, samplePage(sampleContents()["pre-login-providers"]))
		if document.Find(`input[type=radio][name=provider][required]`).Length() != 2 || document.Find("input[checked]").AttrOr("value", "") != "sandbox" {
			t.Error("want two providers and sandbox chosen")
		}
	})
	t.Run("one provider is no choice", func(t *testing.T) {
		if draw(t, samplePage(PreLogin{Providers: []ProviderChoice{{ID: "sandbox"}}})).Find("[name=provider]").Length() != 0 {
			t.Error("the provider is asked for")
		}
	})
	t.Run("a reconnect names the account", func(t *testing.T) {
		if got := words(draw(t, samplePage(PreLogin{Reconnect: "ada@example.com"})).Find(".lead")); !strings.Contains(got, "ada@example.com") {
			t.Errorf("the lead says %q", got)
		}
	})
	t.Run("without a logo there is a monogram", func(t *testing.T) {
		wantWords(t, draw(t, samplePage(PreLogin{})), "header .tile:not(.app)", "S")
	})
}

func TestWaiting(t *testing.T) {
	t.Run("no page loads itself again: only a header may ask for that", func(t *testing.T) {
		for _, content := range contents {
			if draw(t, samplePage(content)).Find("[http-equiv]").Length() != 0 {
				t.Errorf("%s loads itself again", content.name())
			}
		}
	})
	t.Run("a look that came too early is told of", func(t *testing.T) {
		wantWords(t, draw(t, samplePage(Wait{Looked: true})), "main [role=status]", "Not yet: Sandbox is still waiting for you.")
		if draw(t, samplePage(Wait{})).Find("main [role=status]").Length() != 0 {
			t.Error("the first page says that a look came too early")
		}
	})
	t.Run("a provider that could not be asked is told of, not as a look", func(t *testing.T) {
		document := draw(t, samplePage(Wait{Looked: true, Refused: latchkey.FailureProviderUnavailable}))
		wantWords(t, document, ".alert p", "Sandbox could not be reached just now. Try again in a moment.")
		if document.Find("main [role=status]").Length() != 0 {
			t.Error("it also says that the provider still waits")
		}
	})
}

func TestARefusedCode(t *testing.T) {
	t.Run("another one is spoken of where it can be sent", func(t *testing.T) {
		wantWords(t, draw(t, samplePage(sampleContents()["2fa-refused"])), ".alert p",
			"Sandbox did not accept this code. Check it, or ask for another one. This is the last attempt.")
	})
	t.Run("and not where an app makes it", func(t *testing.T) {
		content := TwoFactor{Prompt: latchkey.Prompt{Fields: codePrompt.Fields}, Refused: latchkey.FailureTwoFactor, AttemptsLeft: 2}
		wantWords(t, draw(t, samplePage(content)), ".alert p", "Sandbox did not accept this code. Check it and try again. 2 attempts left.")
	})
}

func TestEndings(t *testing.T) {
	t.Run("every failure has a title and an explanation of its own", func(t *testing.T) {
		titles := map[string]latchkey.FailureCode{}
		for _, code := range []latchkey.FailureCode{
			latchkey.FailureSessionExpired, latchkey.FailureInvalidCredentials, latchkey.FailureAccountLocked,
			latchkey.FailureTwoFactor, latchkey.FailureAccessDenied, latchkey.FailureAccountMismatch,
			latchkey.FailureProviderUnavailable, latchkey.FailureTooManyAttempts, latchkey.FailureCancelled, "location_unavailable",
		} {
			document := draw(t, samplePage(Error{Code: code, CanContinue: true}))
			title := words(document.Find("h1"))
			if other, taken := titles[title]; taken || title == tongues["en"].texts["failure"] {
				t.Errorf("%s has the title %q of %q", code, title, other)
			}
			titles[title] = code
			if strings.Contains(string(code), "_") && strings.Contains(document.Text(), string(code)) {
				t.Errorf("the page of %s shows its code", code)
			}
		}
	})
	t.Run("the request id is there to be quoted, and only then", func(t *testing.T) {
		for name, content := range sampleContents() {
			shown := strings.Contains(draw(t, samplePage(content)).Find("footer").Text(), "req_0123456789abcdefABCDEF")
			if want := strings.HasPrefix(name, "error") || name == "expired" || name == "gone" || name == "not-found" || name == "lost" || strings.HasPrefix(name, "trouble"); shown != want {
				t.Errorf("%s shows the request id: %v, want %v", name, shown, want)
			}
		}
	})
	t.Run("done leads back to where it was told and nowhere else", func(t *testing.T) {
		document := draw(t, samplePage(sampleContents()["done"]))
		if got := document.Find("main a").AttrOr("href", ""); got != "https://acme.example/linked" {
			t.Errorf("the link leads to %q", got)
		}
		if draw(t, samplePage(Done{})).Find("main a").Length() != 0 {
			t.Error("there is a link to nowhere")
		}
	})
}
