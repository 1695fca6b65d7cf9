package guardtest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
)

// silently is a way to a connection that goes round the click on consent.
type silently struct {
	name string
	init map[string]any // beside the usual
	// tries are the forms that are sent, one after the other.
	tries func(s *latchtest.Server, agreed string) []string
}

// credentials are good ones.
const credentials = "username=jo%40creator.sandbox.com&password=good-password"

// versions is every form for each version that the session may have.
func versions(forms ...string) []string {
	var all []string
	for _, form := range forms {
		for version := range 6 {
			all = append(all, fmt.Sprintf("version=%d&%s", version, form))
		}
	}
	return all
}

// prefilled are what a caller may believe to be consent.
var prefilled = []string{"consent=1", "consent=true", "approve=1", "approved=true", "authorization=approve", "step=login", "state=login", "skip_consent=1",
	"textVersion=2026-11-1", "action=approve&action=continue", "prompt=none", "permissions=profile%3Aread", "confirm=1", "auto=1"}

func waysRound() []silently {
	fixed := func(forms ...string) func(*latchtest.Server, string) []string {
		return func(*latchtest.Server, string) []string { return versions(forms...) }
	}
	list := []silently{
		{"credentials at once", nil, fixed("action=continue&" + credentials)},
		{"credentials again and again", nil, fixed("action=continue&"+credentials, credentials, "action=poll&"+credentials)},
		{"every action but consent", nil, fixed("action=continue", "action=back", "action=resend", "action=poll", "action=continue&"+credentials)},
		{"two actions at once", nil, fixed("action=continue&action=approve&"+credentials, "action=Approve&"+credentials, "action=approve%00&"+credentials, "Action=approve&"+credentials)},
		{"the consent of another link", nil, func(_ *latchtest.Server, agreed string) []string {
			return append(versions("action=continue"), agreed, agreed+"&"+credentials)
		}},
		{"a denial", nil, fixed("action=continue", "action=deny&consent=1&"+credentials, "action=continue&"+credentials)},
		{"no action", nil, fixed("", credentials)},
		{"a code", nil, fixed("action=continue&code=123456", "method=app&code=123456")},
	}
	for _, claim := range prefilled {
		name, value, _ := strings.Cut(claim, "=")
		list = append(list,
			silently{"form: " + claim, nil, fixed("action=continue&"+strings.ReplaceAll(claim, "action=approve&", ""), "action=continue&"+credentials+"&"+strings.ReplaceAll(claim, "action=approve&", ""))},
			silently{"init: " + claim, map[string]any{name: value, "options": map[string]any{name: true}, "metadata": map[string]any{name: value}}, fixed("action=continue&" + credentials)})
	}
	return list
}

func TestNobodyIsLinkedSilently(t *testing.T) {
	s := start(t)
	other := open(s, latchkey.AppRedirect, "sandbox").Submit("continue")
	agreed := other.Form("approve").Encode() // a consent that was given elsewhere
	other.Submit("approve")
	tried, linked := 0, 0
	consents := func(session string) int {
		records, err := s.App.Store().AuditOf(t.Context(), s.Trial.OrganisationID, session)
		if err != nil {
			t.Fatal(err)
		}
		given := 0
		for _, record := range records {
			if record.Action == latchkey.AuditConsent {
				given++
			}
		}
		return given
	}
	for _, way := range waysRound() {
		body := map[string]any{"clientAppId": s.Trial.ClientApps[latchkey.AppRedirect], "provider": "sandbox"}
		for name, value := range way.init {
			if _, own := body[name]; !own && name != "permissions" {
				body[name] = value
			}
		}
		link := s.Init(body)
		query := "?" + strings.ReplaceAll(strings.TrimPrefix(way.name, "form: "), " ", "+") + "&consent=1&action=approve"
		for _, form := range way.tries(s, agreed) {
			for _, header := range []string{"", "1"} {
				s.Call("POST", "/"+link.Secret()+query, form, "apikey", "", "Content-Type", "application/x-www-form-urlencoded",
					"Sec-Fetch-Site", "same-origin", "X-Latchkey-Script", header)
			}
			s.Call("GET", "/"+link.Secret()+query+"&"+form, nil, "apikey", "")
			tried++
		}
		// The form of another link's consent has nothing of that link in it: sent
		// here it is a consent here, on record, and still no login.
		if given := consents(link.SessionID); given != 0 && way.name != "the consent of another link" || len(s.Connections()) != 0 {
			linked++
			t.Errorf("%s: %d consents, %d connections", way.name, given, len(s.Connections()))
		}
	}
	tried += attestations(t, s, &linked, consents)
	if n := len(s.Connections()); n != 0 {
		linked += n
		t.Errorf("%d connections", n)
	}
	// With the click, and it alone, the same credentials link.
	link := s.Init(map[string]any{"clientAppId": s.Trial.ClientApps[latchkey.AppRedirect], "provider": "sandbox"})
	visit := s.Visit(link.URL).Consent()
	if consents(link.SessionID) != 1 || len(s.Connections()) != 0 {
		t.Error("the consent is not on record before the login")
	}
	visit.Submit("continue", "username", "jo@creator.sandbox.com", "password", "good-password")
	if len(s.Connections()) != 1 {
		t.Error("consent and credentials do not link")
	}
	fmt.Printf("RESULT B-11 %d 0\n", linked)
	fmt.Printf("RESULT B-11.n %d 300\n", tried)
	if tried < 300 {
		t.Errorf("only %d tries", tried)
	}
}

// attestations lets an app with pages of its own go on without saying which
// text its user agreed to.
func attestations(t *testing.T, s *latchtest.Server, linked *int, consents func(string) int) (tried int) {
	for _, fields := range []string{`{}`, `{"consent":"1"}`, `{"textVersion":""}`, `{"textVersion":"1"}`, `{"textVersion":"2026-11-1 "}`, `{"textVersion":"latest"}`,
		`{"textversion":"2026-11-1"}`, `{"username":"jo@creator.sandbox.com","password":"good-password"}`} {
		link := s.Init(map[string]any{"clientAppId": s.Trial.ClientApps[latchkey.AppWhitelabel], "provider": "sandbox"})
		for version := range 6 {
			for _, action := range []string{"continue", "approve", "poll", "back"} {
				s.Call("POST", "/v2/link/"+link.Secret()+"/submit", fmt.Sprintf(`{"version":%d,"action":%q,"fields":%s}`, version, action, fields))
				s.Call("POST", "/v2/link/"+link.Secret()+"/submit", fmt.Sprintf(`{"version":%d,"fields":{"username":"jo@creator.sandbox.com","password":"good-password"}}`, version))
				tried++
			}
		}
		if given := consents(link.SessionID); given != 0 {
			*linked++
			t.Errorf("whitelabel with %s: %d consents", url.QueryEscape(fields), given)
		}
		if answer := s.Call("GET", "/"+link.Secret(), nil, "apikey", ""); answer.Status != http.StatusNotFound {
			t.Errorf("an app's own link has a page: %d", answer.Status)
		}
	}
	return tried
}
