package lifetest

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
)

// own is what differs between any two sessions: ids, times and references.
var own = regexp.MustCompile(`(ls|conn|evt|app|cs)_[0-9A-Za-z]+|\d{4}-\d\d-\d\dT[0-9:.]+Z`)

// seen is all that the holder of the API key can see of a session, with what is
// its own taken out.
func seen(s *latchtest.Server, link latchtest.Link) (all []string) {
	for _, path := range []string{"/v2/link/" + link.Secret(), "/v2/link/sessions/" + link.SessionID} {
		answer := s.Want(http.StatusOK, "GET", path, nil)
		all = append(all, own.ReplaceAllString(string(answer.Body), "$1"))
	}
	type listed struct {
		ID        string `json:"id"`
		Status    string `json:"status"`
		ErrorCode string `json:"errorCode"`
		Step      string `json:"step"`
	}
	list := latchtest.Decode[struct {
		List []listed `json:"list"`
	}](s, s.Want(http.StatusOK, "GET", "/v2/link/sessions?limit=100", nil))
	for _, entry := range list.List {
		if entry.ID == link.SessionID {
			entry.ID = ""
			all = append(all, fmt.Sprintf("%+v", entry))
		}
	}
	page, err := s.App.Store().EventsAfter(s.Context(), s.Trial.OrganisationID, latchkey.Sandbox, 0, 1000)
	if err != nil {
		s.Fatal(err)
	}
	for _, event := range page.Events {
		if event.Subject == link.SessionID {
			all = append(all, own.ReplaceAllString(string(event.Body), "$1"))
		}
	}
	return all
}

// An app that holds the key must not be a place to try out who has an account.
// The published statuses tell two things apart before a success: that the
// provider refused what was entered, and that it wants a second factor. They
// tell that of every account in the same way, and nothing beside it.
func TestAHostedSessionTellsNoMoreOfAWrongUserThanOfAWrongPassword(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{Idle: true})
	const password = "good-password"
	differences := 0
	tries := func(username, password string) (states [][]string) {
		link := s.Init(map[string]any{"provider": "sandbox"})
		visit := s.Visit(link.URL).Consent()
		states = append(states, seen(s, link))
		for visit.Page.Find("input[name=password]").Length() > 0 {
			visit = visit.Submit("continue", "username", username, "password", password)
			states = append(states, seen(s, link))
		}
		return states
	}
	base := tries("ada@creator.sandbox.com", "wrong")
	if len(base) < 3 {
		t.Fatalf("there were only %d states", len(base))
	}
	for name, other := range map[string][][]string{
		"a wrong user":                     tries("nobody@nowhere.example", password),
		"a wrong user and password":        tries("nobody@nowhere.example", "wrong"),
		"a wrong password before a code":   tries("ada@creator-otp.sandbox.com", "wrong"),
		"a wrong password of a locked one": tries("ada@locked.sandbox.com", "wrong"),
		"a wrong password before a phone":  tries("ada@phone.sandbox.com", "wrong"),
		"a wrong password of a fan":        tries("bob@fan.sandbox.com", "wrong"),
	} {
		for i := range max(len(base), len(other)) {
			if i >= len(base) || i >= len(other) || fmt.Sprint(base[i]) != fmt.Sprint(other[i]) {
				differences++
				t.Errorf("%s differs at try %d:\n%v\n%v", name, i, base[min(i, len(base)-1)], other[min(i, len(other)-1)])
				break
			}
		}
	}
	differences += secondFactors(t, s, password)
	fmt.Printf("RESULT A-5 %d 0\n", differences)
}

// secondFactors compares accounts that want the same second factor, and returns
// how many differ in what is seen of them.
func secondFactors(t *testing.T, s *latchtest.Server, password string) (differences int) {
	states := map[string]string{}
	for _, username := range []string{"ada@creator-otp.sandbox.com", "bob@fan-otp.sandbox.com"} {
		link := s.Init(map[string]any{"provider": "sandbox"})
		s.Visit(link.URL).Consent().Submit("continue", "username", username, "password", password)
		states[username] = fmt.Sprint(seen(s, link))
		body := latchtest.Decode[struct {
			Status string         `json:"status"`
			Data   map[string]any `json:"data"`
		}](s, s.Want(http.StatusOK, "GET", "/v2/link/"+link.Secret(), nil))
		for field := range body.Data {
			if body.Status != "awaiting_2fa" || field != "step" && field != "twoFactorState" {
				differences++
				t.Errorf("before a second factor: status %s with %s", body.Status, field)
			}
		}
	}
	if states["ada@creator-otp.sandbox.com"] != states["bob@fan-otp.sandbox.com"] {
		differences++
		t.Errorf("two accounts before a second factor differ: %v", states)
	}
	return differences
}

func TestAWhitelabelAppSeesNothingUntilAnOperatorHasTurnedItOn(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{Idle: true})
	begin := map[string]any{"clientAppId": s.Trial.ClientApps[latchkey.AppWhitelabel], "provider": "sandbox"}
	link := s.Init(begin)
	s.Want(http.StatusOK, "GET", "/v2/link/"+link.Secret(), nil)
	s.ChangeApp(latchkey.AppWhitelabel, func(app *latchkey.ClientApp) { app.WhitelabelEnabled = false })
	s.Want(http.StatusForbidden, "POST", "/v2/link/init", begin)
	hosted := s.Init(map[string]any{"provider": "sandbox"})
	s.Want(http.StatusForbidden, "POST", "/v2/link/"+hosted.Secret()+"/submit", map[string]any{"version": 1, "action": "continue"})
}
