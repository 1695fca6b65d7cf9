package oauth2_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey/internal/connector"
	"latchkey/internal/latchtest/hostiletest"
)

// held returns what a credential holds.
func held(t *testing.T, secret []byte) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(secret, &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func TestARenewedTokenKeepsWhatTheAnswerLeavesOut(t *testing.T) {
	s := hostiletest.Start(t)
	c := provider(t, s.URL)
	done := link(t, c)
	before := held(t, done.Credential.Secret)
	for name, issued := range map[string]func(map[string]any){
		"without a refresh token, the old one is kept": nil,
		"with a refresh token, the new one is kept":    func(m map[string]any) { m["refresh_token"] = "rt-rotated" },
	} {
		t.Run(name, func(t *testing.T) {
			s.Bend(hostiletest.Mode{Token: issued})
			given := access(noFollow(), done)
			renewed, err := c.(connector.Refresher).Refresh(t.Context(), given)
			if err != nil {
				t.Fatal(err)
			}
			clear(given.Credential)
			after := held(t, renewed.Secret)
			want := before["refresh"]
			if issued != nil {
				want = "rt-rotated"
			}
			if after["refresh"] != want || after["access"] == before["access"] || after["scope"] != before["scope"] || after["subject"] != hostiletest.Subject {
				t.Errorf("from %v to %v", before, after)
			}
			if left := time.Until(renewed.ExpiresAt); left < 59*time.Minute || left > time.Hour {
				t.Errorf("it expires in %s", left)
			}
		})
	}
}

func TestOnlyTheServersWordEndsAConnection(t *testing.T) {
	s := hostiletest.Start(t)
	c := provider(t, s.URL, "refresh: {dead_errors: [token_revoked]}")
	done := link(t, c)
	for name, answer := range map[string]struct {
		status int
		text   string
		reason string // why it is dead; "": it lives
	}{
		"invalid_grant":                   {400, `{"error":"invalid_grant"}`, connector.DeadRevoked},
		"invalid_grant, said with a 401":  {401, `{"error":"invalid_grant"}`, connector.DeadRevoked},
		"invalid_grant, said with a 200":  {200, `{"error":"invalid_grant"}`, connector.DeadRevoked},
		"an error of the file's":          {400, `{"error":"token_revoked"}`, connector.DeadRevoked},
		"invalid_client":                  {401, `{"error":"invalid_client"}`, ""},
		"invalid_request":                 {400, `{"error":"invalid_request"}`, ""},
		"unauthorized_client":             {400, `{"error":"unauthorized_client"}`, ""},
		"temporarily_unavailable":         {503, `{"error":"temporarily_unavailable"}`, ""},
		"a failure that blames the token": {500, `{"error":"invalid_grant"}`, ""},
		"too many requests":               {429, `{"error":"invalid_grant"}`, ""},
		"a page":                          {403, `<html>invalid_grant</html>`, ""},
		"a captcha":                       {200, `<html>are you a robot?</html>`, ""},
		"access_denied":                   {400, `{"error":"access_denied"}`, ""},
		"another person's ID token":       {200, `{"access_token":"a","token_type":"Bearer","id_token":"e30.eyJzdWIiOiJ4In0.x"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s.Bend(hostiletest.Mode{TokenStatus: answer.status, TokenText: answer.text})
			_, err := c.(connector.Refresher).Refresh(t.Context(), access(noFollow(), done))
			if err == nil {
				t.Fatal("it was renewed")
			}
			if dead := errors.Is(err, connector.ErrDead); dead != (answer.reason != "") {
				t.Errorf("dead is %t: %v", dead, err)
			} else if dead && connector.ReasonOf(err) != answer.reason {
				t.Errorf("dead because of %s", connector.ReasonOf(err))
			}
			if _, failed := errors.AsType[*connector.Failure](err); failed {
				t.Errorf("a renewal failed as a login does: %v", err)
			}
		})
	}
	t.Run("a server that is gone", func(t *testing.T) {
		s.Close()
		if _, err := c.(connector.Refresher).Refresh(t.Context(), access(noFollow(), done)); err == nil || errors.Is(err, connector.ErrDead) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWithoutARefreshTokenThePersonLinksAgain(t *testing.T) {
	s := hostiletest.Start(t)
	s.Bend(hostiletest.Mode{Token: func(m map[string]any) { delete(m, "refresh_token") }})
	c := provider(t, s.URL)
	_, err := c.(connector.Refresher).Refresh(t.Context(), access(noFollow(), link(t, c)))
	if !errors.Is(err, connector.ErrDead) || connector.ReasonOf(err) != connector.DeadSession {
		t.Errorf("got %v", err)
	}
}

func TestACheckSaysWhoItIsOrThatItIsNobody(t *testing.T) {
	s := hostiletest.Start(t)
	c := provider(t, s.URL)
	done := link(t, c)
	checker := c.(connector.Checker)
	profile, err := checker.Check(t.Context(), access(noFollow(), done))
	if err != nil || profile.User != done.User || !strings.Contains(string(profile.Raw), hostiletest.Subject) {
		t.Errorf("got %+v, %v", profile, err)
	}
	s.Bend(hostiletest.Mode{Userinfo: func(m map[string]any) { m["sub"] = "person-2" }})
	if _, err := checker.Check(t.Context(), access(noFollow(), done)); err == nil || errors.Is(err, connector.ErrDead) {
		t.Errorf("another person's profile: %v", err)
	}
	s.Bend(hostiletest.Mode{})
	if err := c.(connector.Revoker).Revoke(t.Context(), access(noFollow(), done)); err != nil {
		t.Error(err)
	}
	_, err = checker.Check(t.Context(), access(noFollow(), done))
	if !errors.Is(err, connector.ErrDead) || connector.ReasonOf(err) != connector.DeadRevoked {
		t.Errorf("after the end: %v", err)
	}
}

func TestARevocationIsTriedAgainUntilItIsDone(t *testing.T) {
	s := hostiletest.Start(t)
	c := provider(t, s.URL)
	done := link(t, c)
	revoke := func() error { return c.(connector.Revoker).Revoke(t.Context(), access(noFollow(), done)) }
	answer := func(status int, text string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text))
		}
	}
	for name, again := range map[string]struct {
		status int
		text   string
		again  bool
	}{
		"done":                      {200, "", false},
		"unsupported_token_type":    {400, `{"error":"unsupported_token_type"}`, false},
		"dead already":              {400, `{"error":"invalid_token"}`, false},
		"503":                       {503, "", true},
		"503 that blames the token": {503, `{"error":"invalid_token"}`, true},
		"429":                       {429, "", true},
		"the client is refused":     {401, `{"error":"invalid_client"}`, true},
		"no such page":              {404, "", true},
		"a redirect":                {302, "", true},
	} {
		s.Bend(hostiletest.Mode{Revoke: answer(again.status, again.text)})
		if err := revoke(); (err != nil) != again.again {
			t.Errorf("%s: %v", name, err)
		}
	}
	asked := s.Seen("/revoke")
	if first := asked[0].Values; !strings.HasPrefix(first.Get("token"), "rt-") || first.Get("token_type_hint") != "refresh_token" {
		t.Errorf("the first is not the refresh token: %q", first.Get("token_type_hint"))
	}
}

func TestAProviderWithoutRevocationIsForgotten(t *testing.T) {
	s := hostiletest.Start(t)
	done := link(t, provider(t, s.URL))
	if err := provider(t, s.URL, "revocation: {unsupported: true}").(connector.Revoker).Revoke(t.Context(), access(noFollow(), done)); err != nil {
		t.Error(err)
	}
	s.Bend(hostiletest.Mode{Metadata: func(m map[string]any) { delete(m, "revocation_endpoint") }})
	if err := provider(t, s.URL).(connector.Revoker).Revoke(t.Context(), access(noFollow(), done)); err != nil {
		t.Error(err)
	}
	if n := len(s.Seen("/revoke")); n > 0 {
		t.Errorf("%d requests went out", n)
	}
}

func TestHowTheTokenIsSent(t *testing.T) {
	s := hostiletest.Start(t)
	done := link(t, provider(t, s.URL))
	token := held(t, done.Credential.Secret)["access"].(string)
	for name, how := range map[string]struct{ lines, header, value, query string }{
		"bearer": {"api: {base_url: 'https://api.example.com/v1'}", "Authorization", "Bearer " + token, "a=1"},
		"prefix": {"api: {base_url: 'https://api.example.com/v1', authorization: {prefix: 'token '}}", "Authorization", "token " + token, "a=1"},
		"header": {"api: {base_url: 'https://api.example.com/v1', authorization: {header: X-Token}}", "X-Token", token, "a=1"},
		"query": {"api: {base_url: 'https://api.example.com/v1', authorization: {query: access_token}, headers: {X-Client: '{{client_id}}'}}",
			"X-Client", hostiletest.ClientID, "a=1&access_token=" + token},
	} {
		t.Run(name, func(t *testing.T) {
			c := provider(t, s.URL, how.lines).(connector.Authorizer)
			base, err := c.Base(done.Credential.Secret)
			if err != nil || base.String() != "https://api.example.com/v1" {
				t.Errorf("base %v, %v", base, err)
			}
			out := httptest.NewRequest(http.MethodGet, "https://api.example.com/v1/me?a=1", nil)
			if err := c.Authorize(out, done.Credential.Secret); err != nil {
				t.Fatal(err)
			}
			if out.Header.Get(how.header) != how.value || out.URL.RawQuery != how.query {
				t.Errorf("header %q, query %q", out.Header.Get(how.header), out.URL.RawQuery)
			}
		})
	}
	if _, callable := provider(t, s.URL).(connector.Authorizer); callable {
		t.Error("a provider without an API can be called")
	}
}

func TestAnExportHasTheAccessTokenAlone(t *testing.T) {
	s := hostiletest.Start(t)
	c := provider(t, s.URL)
	done := link(t, c)
	exported, err := c.(connector.Exporter).Export(done.Credential.Secret)
	if err != nil {
		t.Fatal(err)
	}
	kept := held(t, done.Credential.Secret)
	shown := held(t, exported)
	if shown["access_token"] != kept["access"] || shown["scope"] != "openid profile" || strings.Contains(string(exported), kept["refresh"].(string)) {
		t.Errorf("exported %v", shown)
	}
}

func TestFewerScopesThanAskedForAreWrittenDown(t *testing.T) {
	s := hostiletest.Start(t)
	s.Bend(hostiletest.Mode{Token: func(m map[string]any) { m["scope"] = "openid" }})
	kept := held(t, link(t, provider(t, s.URL)).Credential.Secret)
	if kept["asked"] != "openid profile" || kept["scope"] != "openid" {
		t.Errorf("asked for %v, granted %v", kept["asked"], kept["scope"])
	}
}
