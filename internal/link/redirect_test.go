package link_test

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"latchkey"
	"latchkey/internal/link"
)

func completed(change func(*latchkey.LinkSession)) *latchkey.LinkSession {
	session := &latchkey.LinkSession{
		ID: "ls_1", State: latchkey.StateCompleted,
		Request:  latchkey.SessionRequest{RedirectURL: "https://shop.example/back", ClientReferenceID: "u 1"},
		Progress: latchkey.SessionProgress{ConnectionID: "conn_1"},
	}
	if change != nil {
		change(session)
	}
	return session
}

func TestReturnURLTellsTheOutcome(t *testing.T) {
	ended := func(state latchkey.State, step latchkey.State, failure latchkey.FailureCode) func(*latchkey.LinkSession) {
		return func(s *latchkey.LinkSession) {
			s.State, s.Progress = state, latchkey.SessionProgress{Step: step, Failure: failure}
		}
	}
	const back = "https://shop.example/back?"
	for _, test := range []struct {
		name   string
		change func(*latchkey.LinkSession)
		want   string
	}{
		{"success", nil, back + "status=success&connection_id=conn_1&client_reference_id=u+1&session_id=ls_1"},
		{"success without reference", func(s *latchkey.LinkSession) { s.Request.ClientReferenceID = "" },
			back + "status=success&connection_id=conn_1&session_id=ls_1"},
		{"cancelled on the first page", ended(latchkey.StateDenied, latchkey.StatePreLogin, latchkey.FailureCancelled),
			back + "status=cancelled&step=pre-login&client_reference_id=u+1&session_id=ls_1"},
		{"consent refused", ended(latchkey.StateDenied, latchkey.StateAuthorization, latchkey.FailureCancelled),
			back + "status=cancelled&step=authorization&client_reference_id=u+1&session_id=ls_1"},
		{"cancelled at the code", ended(latchkey.StateDenied, latchkey.StateTwoFactor, latchkey.FailureCancelled),
			back + "status=cancelled&step=2fa&client_reference_id=u+1&session_id=ls_1"},
		{"refused by the provider", ended(latchkey.StateDenied, latchkey.StateLogin, latchkey.FailureAccessDenied),
			back + "status=error&error_code=access_denied&client_reference_id=u+1&session_id=ls_1"},
		{"failed", ended(latchkey.StateFailed, latchkey.StateLogin, latchkey.FailureTooManyAttempts),
			back + "status=error&error_code=too_many_attempts&client_reference_id=u+1&session_id=ls_1"},
		{"expired", ended(latchkey.StateExpired, latchkey.StateLogin, latchkey.FailureSessionExpired),
			back + "status=error&error_code=session_expired&client_reference_id=u+1&session_id=ls_1"},
		{"not ended", ended(latchkey.StateLogin, "", ""), ""},
		{"being tried", ended(latchkey.StateTrying, latchkey.StateLogin, ""), ""},
		{"nowhere to go", func(s *latchkey.LinkSession) { s.Request.RedirectURL = "" }, ""},
	} {
		if got := link.ReturnURL(completed(test.change)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestReturnURLKeepsWhatIsRegistered(t *testing.T) {
	const added = "status=success&connection_id=conn_1&client_reference_id=u+1&session_id=ls_1"
	for registered, want := range map[string]string{
		"https://shop.example":                     "https://shop.example?" + added,
		"https://shop.example/":                    "https://shop.example/?" + added,
		"https://shop.example/b?":                  "https://shop.example/b?" + added,
		"https://shop.example/b?a=1":               "https://shop.example/b?a=1&" + added,
		"https://shop.example/b?a=1&":              "https://shop.example/b?a=1&" + added,
		"https://shop.example/b?b=2&a=1&a=&%2f=+;": "https://shop.example/b?b=2&a=1&a=&%2f=+;&" + added,
		"https://shop.example/b?status=mine":       "https://shop.example/b?status=mine&" + added,
		"https://shop.example/b#part":              "https://shop.example/b?" + added + "#part",
		"https://shop.example/b?a=1#part?x=1":      "https://shop.example/b?a=1&" + added + "#part?x=1",
		"https://shop.example/b#":                  "https://shop.example/b?" + added + "#",
		"https://shop.example/%C3%A9%2f/../x":      "https://shop.example/%C3%A9%2f/../x?" + added,
		"com.example.shop:/back":                   "com.example.shop:/back?" + added,
		"http://127.0.0.1:50000/callback":          "http://127.0.0.1:50000/callback?" + added,
		"http://[::1]:50000/callback?x":            "http://[::1]:50000/callback?x&" + added,
	} {
		got := link.ReturnURL(completed(func(s *latchkey.LinkSession) { s.Request.RedirectURL = registered }))
		if got != want {
			t.Errorf("%s leads to\n%s, want\n%s", registered, got, want)
		}
	}
}

func TestReturnURLCarriesEveryReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reference := rapid.StringN(1, 255, -1).Draw(t, "reference")
		query := rapid.StringMatching(`(\?[a-z0-9=&%]{0,20})?`).Draw(t, "query")
		fragment := rapid.StringMatching(`(#[a-z?=&]{0,10})?`).Draw(t, "fragment")
		base := "https://shop.example/back" + query
		got := link.ReturnURL(completed(func(s *latchkey.LinkSession) {
			s.Request.RedirectURL, s.Request.ClientReferenceID = base+fragment, reference
		}))
		if !strings.HasPrefix(got, base) || !strings.HasSuffix(got, fragment) || strings.Count(got, "#") != strings.Count(fragment, "#") {
			t.Fatalf("%q became %q", base+fragment, got)
		}
		added := strings.TrimSuffix(strings.TrimPrefix(got, base), fragment)
		values, err := url.ParseQuery(strings.TrimLeft(added, "?&"))
		if err != nil || values.Get("client_reference_id") != reference || values.Get("status") != "success" || len(values) != 4 {
			t.Fatalf("%q carries %v, %v, want the reference %q", got, values, err, reference)
		}
	})
}
