package oauth2_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest/hostiletest"
)

// verifierLeast is the least length of a verifier (RFC 7636, section 4.1).
const verifierLeast = 43

func TestEveryFlowHasItsOwnS256Challenge(t *testing.T) {
	const flows = 200
	modes := []hostiletest.Mode{
		{Name: "a server as it comes"},
		{Name: "a server that ignores challenges", Careless: true},
		{Name: "a server that says nothing of challenges", Metadata: func(m map[string]any) { delete(m, "code_challenge_methods_supported") }},
		{Name: "a server that prefers plain", Metadata: func(m map[string]any) { m["code_challenge_methods_supported"] = []string{"plain", "S256"} }},
		{Name: "a server that takes pushed requests", Metadata: func(m map[string]any) { m["require_pushed_authorization_requests"] = true }},
	}
	wrong, verifiers, urls := 0, map[string]bool{}, ""
	for _, mode := range modes {
		s := hostiletest.Start(t)
		s.Bend(mode)
		c := provider(t, s.URL)
		for range flows / len(modes) {
			l := mustBegin(t, c)
			if _, err := l.callback(l.approve()); err != nil {
				t.Fatal(err)
			}
			urls += l.redirect + "\n"
		}
		asked := s.Seen("/authorize")
		if pushed := s.Seen("/par"); len(pushed) > 0 {
			asked = pushed
		}
		for i, exchanged := range s.Seen("/token") {
			verifier := exchanged.Values.Get("code_verifier")
			sum := sha256.Sum256([]byte(verifier))
			good := len(verifier) >= verifierLeast && !verifiers[verifier] && asked[i].Values.Get("code_challenge_method") == "S256" &&
				asked[i].Values.Get("code_challenge") == base64.RawURLEncoding.EncodeToString(sum[:])
			if !good {
				wrong++
			}
			verifiers[verifier] = true
		}
	}
	for verifier := range verifiers {
		if strings.Contains(urls, verifier) {
			t.Error("a verifier stands in a redirect")
		}
	}
	fmt.Printf("RESULT R-6 %d 0\n", wrong)
	if wrong > 0 || len(verifiers) != flows {
		t.Errorf("%d of %d flows without a challenge of their own", wrong, len(verifiers))
	}
}

// forgeries are answers that are not to our request: what stands in place of
// the state and the issuer, given the right ones and those of another login.
var forgeries = []func(ours, theirs url.Values){
	func(ours, theirs url.Values) { ours.Set("state", theirs.Get("state")) },
	func(ours, _ url.Values) { ours.Set("state", rand.Text()+rand.Text()) },
	func(ours, _ url.Values) { ours.Del("state") },
	func(ours, _ url.Values) { ours.Set("state", "") },
	func(ours, _ url.Values) { ours.Set("state", ours.Get("state")+"A") },
	func(ours, _ url.Values) { ours.Set("state", ours.Get("state")[1:]) },
	func(ours, _ url.Values) { ours.Set("state", strings.ToLower(ours.Get("state"))) },
	func(ours, _ url.Values) { ours.Set("state", ours.Get("state")+"\x00") },
	func(ours, theirs url.Values) { ours["state"] = []string{theirs.Get("state"), ours.Get("state")} },
	func(ours, theirs url.Values) { ours["state"] = []string{ours.Get("state"), theirs.Get("state")} },
	func(ours, _ url.Values) { ours.Del("iss") },
	func(ours, _ url.Values) { ours.Set("iss", "https://honest.example") },
	func(ours, _ url.Values) { ours.Set("iss", ours.Get("iss")+"/") },
	func(ours, _ url.Values) { ours.Set("iss", strings.Replace(ours.Get("iss"), "http", "https", 1)) },
	func(ours, _ url.Values) { ours.Set("iss", strings.ToUpper(ours.Get("iss"))) },
	func(ours, _ url.Values) { ours.Set("iss", "") },
	func(ours, _ url.Values) { ours["iss"] = []string{ours.Get("iss"), "https://honest.example"} },
	func(ours, theirs url.Values) { ours.Set("code", theirs.Get("code")) },
	func(ours, theirs url.Values) { ours["code"] = []string{ours.Get("code"), theirs.Get("code")} },
	func(ours, theirs url.Values) {
		ours.Set("code", theirs.Get("code"))
		ours.Set("state", theirs.Get("state"))
	},
}

func TestAnAnswerThatIsNotToTheRequestIsRefused(t *testing.T) {
	const tries = 500
	s := hostiletest.Start(t)
	c := provider(t, s.URL)
	accepted := 0
	for i := range tries {
		ours, theirs := mustBegin(t, c), mustBegin(t, c)
		query := ours.approve()
		forgeries[i%len(forgeries)](query, theirs.approve())
		if _, err := ours.callback(query); err == nil {
			accepted++
			t.Errorf("forgery %d was accepted", i%len(forgeries))
		}
	}
	fmt.Printf("RESULT R-7.state %d 0\n", accepted)
	fmt.Printf("RESULT R-7.tries %d 500\n", tries)
}

func TestWhatTheProviderRefuses(t *testing.T) {
	s := hostiletest.Start(t)
	for answer, want := range map[string]latchkey.FailureCode{
		"access_denied":            latchkey.FailureAccessDenied,
		"user_cancelled_login":     latchkey.FailureAccessDenied,
		"server_error":             latchkey.FailureProviderUnavailable,
		"invalid_scope":            latchkey.FailureProviderUnavailable,
		"<script>alert(1)</script": latchkey.FailureProviderUnavailable,
	} {
		s.Bend(hostiletest.Mode{Answer: func(query url.Values) {
			query.Del("code")
			query.Set("error", answer)
			query.Set("error_description", "secret-in-a-description")
		}})
		l := mustBegin(t, provider(t, s.URL))
		_, err := l.callback(l.approve())
		failure, ok := errors.AsType[*connector.Failure](err)
		if !ok || failure.Code != want {
			t.Errorf("%s: %v, want %s", answer, err, want)
			continue
		}
		if strings.ContainsAny(failure.Reason, "<>") || strings.Contains(failure.Reason, "secret") {
			t.Errorf("%s: the reason repeats what came in: %s", answer, failure.Reason)
		}
		if strings.HasPrefix(answer, "s") && !strings.Contains(failure.Reason, answer) {
			t.Errorf("%s: the operator is not told: %s", answer, failure.Reason)
		}
	}
}

func TestTheRequestAsksForWhatTheFileAndTheLoginWant(t *testing.T) {
	s := hostiletest.Start(t)
	c := provider(t, s.URL, "scopes: [openid]", "scope_separator: ','", "scope_parameter: user_scope",
		"permissions: {'posts:read': [posts.read], 'posts:write': [posts.read, posts.write]}",
		"authorization_endpoint: "+s.URL+"/authorize?prompt=none&tenant=a", "authorization_parameters: {prompt: consent}")
	flow := connector.Flow{
		CallbackURL: callbackURL, RedirectState: "the-state", HTTP: noFollow(), Permissions: []string{"posts:read", "posts:write", "unknown:one"},
	}
	step, err := c.Advance(context.Background(), flow, connector.Input{})
	if err != nil {
		t.Fatal(err)
	}
	asked, err := url.Parse(step.(connector.Redirect).URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"user_scope": "openid,posts.read,posts.write", "prompt": "consent", "tenant": "a", "state": "the-state", "redirect_uri": callbackURL,
		"response_type": "code", "client_id": hostiletest.ClientID, "scope": "",
	} {
		if got := asked.Query()[name]; strings.Join(got, "|") != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(asked.Query().Get("nonce")) < 22 {
		t.Error("there is no nonce")
	}
}

func TestAGoneStateOrAMissingCallbackIsAnError(t *testing.T) {
	s := hostiletest.Start(t)
	l := mustBegin(t, provider(t, s.URL))
	query := l.approve()
	l.flow.State = []byte(`{"verifier":"short"}`)
	if _, err := l.callback(query); err == nil {
		t.Error("a login went on without its verifier")
	}
	if _, err := l.connector.Advance(t.Context(), connector.Flow{HTTP: l.client, CallbackURL: callbackURL}, connector.Input{}); err == nil {
		t.Error("a login began without a state")
	}
}
