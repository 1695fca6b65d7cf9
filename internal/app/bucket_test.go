package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/app"
	"latchkey/internal/latchtest"
)

func TestTriesOfAnAddressCannotHideBehindHeaders(t *testing.T) {
	const tries = 3
	f := forward{latchtest.Start(t, latchtest.Options{Idle: true, Limits: app.Limits{AttemptsPerAddress: tries}})}
	peer, details := strangers(), map[string]bool{}
	for _, pretence := range addressPretences {
		from, before := peer(), f.Provider.Logins()
		for i := range tries + 2 {
			secret, _ := f.begun(request{})
			r := request{peer: stranger, method: "POST", path: "/" + secret, kind: formBody, pretence: pretence, says: fmt.Sprintf("203.0.113.%d", i)}
			for _, body := range []string{"version=1&action=continue", "version=2&action=approve"} {
				r.body = body
				f.send(r)
			}
			details[f.consent(secret)] = true
			r.peer, r.body = from, "version=4&action=continue&username="+url.QueryEscape(fmt.Sprint(pretence, i))+"&password=wrong"
			f.send(r)
		}
		if logins := f.Provider.Logins() - before; logins != tries {
			t.Errorf("with %q %d tries got to the provider, want %d", pretence, logins, tries)
		}
	}
	if len(details) != 1 {
		t.Errorf("the records of consent of one address have %d addresses", len(details))
	}
}

// consent returns the address in the record of consent, a keyed hash.
func (f forward) consent(secret string) string {
	f.Helper()
	session, err := f.App.Store().LinkSessionBySecret(f.Context(), latchkey.HashClientSecret(secret))
	if err != nil {
		f.Fatal(err)
	}
	records, err := f.App.Store().AuditOf(f.Context(), f.Trial.OrganisationID, session.ID)
	if err != nil || len(records) == 0 {
		f.Fatalf("%d records, %v", len(records), err)
	}
	address := regexp.MustCompile(`"address":"[^"]+"`).FindString(records[0].Detail)
	if address == "" {
		f.Errorf("no address in %s", records[0].Detail)
	}
	return address
}

func TestAKeyOverItsBucketIsToldToWait(t *testing.T) {
	f := forward{latchtest.Start(t, latchtest.Options{Idle: true, Limits: app.Limits{KeyPerMinute: 90}})} // three can be saved up
	f.Clock.Freeze(time.Now().Truncate(time.Second))
	other, err := f.App.Setup(t.Context(), app.Setup{Organisation: "Other", AppName: "Other", Domain: "other.example"})
	if err != nil {
		t.Fatal(err)
	}
	look := func(key, peer string) *httptest.ResponseRecorder {
		return f.send(request{peer: peer, method: "GET", path: "/v2/link/sessions", key: key})
	}
	for i := range 3 {
		answer := look(f.Trial.APIKey, stranger)
		if got := answer.Header().Get("X-RateLimit-Remaining"); answer.Code != http.StatusOK || got != fmt.Sprint(2-i) {
			t.Errorf("request %d is answered %d with %s left", i+1, answer.Code, got)
		}
	}
	for _, peer := range []string{stranger, "192.0.2.99:1"} {
		answer := look(f.Trial.APIKey, peer)
		header := answer.Header()
		if answer.Code != http.StatusTooManyRequests || header.Get("Retry-After") != "1" || header.Get("X-RateLimit-Limit") != "3" ||
			header.Get("X-RateLimit-Remaining") != "0" || header.Get("X-RateLimit-Reset") != fmt.Sprint(f.Clock.Now().Add(2*time.Second).Unix()) {
			t.Errorf("over the bucket: %d with %v", answer.Code, header)
		}
	}
	if answer := look(other[0].Key, stranger); answer.Code != http.StatusOK {
		t.Errorf("another key at the same address is answered %d", answer.Code)
	}
}
