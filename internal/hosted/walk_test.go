package hosted_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

// person is somebody on the page of a new link to the programmable provider.
type person struct {
	*latchtest.Visit
	server *latchtest.Server
	link   latchtest.Link
}

// begin opens the page of a new link and goes on to the step.
func begin(s *latchtest.Server, step latchkey.State) *person {
	s.Helper()
	link := s.Init(map[string]any{"provider": latchtest.ProviderID, "clientReferenceId": "order 66"})
	p := &person{Visit: s.Visit(link.URL), server: s, link: link}
	switch step {
	case latchkey.StateAuthorization:
		p.Submit("continue")
	case latchkey.StateLogin:
		p.Consent()
	case latchkey.StateTwoFactor:
		p.Consent().Submit("continue", "username", "otp ada", "password", latchtest.Password)
	}
	if got := p.stored().State; got != step {
		s.Fatalf("the session is at %s, want %s: %s", got, step, p.Text())
	}
	return p
}

// stored returns the session as it lies in the database.
func (p *person) stored() *latchkey.LinkSession {
	p.server.Helper()
	session, err := p.server.App.Store().LinkSessionBySecret(p.server.Context(), latchkey.HashClientSecret(p.link.Secret()))
	if err != nil {
		p.server.Fatal(err)
	}
	return session
}

// path returns the page's path.
func (p *person) path() string { return "/" + p.link.Secret() }

// form sends a form from the page itself and follows nothing.
func (p *person) form(form url.Values) latchtest.Answer {
	p.server.Helper()
	return p.server.Call("POST", p.path(), form.Encode(), "apikey", "",
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
}

// wantLanded checks with which outcome the person came back to the app.
func (p *person) wantLanded(outcome map[string]string) {
	p.server.Helper()
	if p.Landed == nil {
		p.server.Fatalf("the person is still here: %s", p.Text())
	}
	outcome["client_reference_id"], outcome["session_id"] = "order 66", p.link.SessionID
	got := map[string]string{}
	for name := range p.Landed.Query() {
		got[name] = p.Landed.Query().Get(name)
	}
	if diff := cmp.Diff(outcome, got); diff != "" {
		p.server.Errorf("the redirect's query (-want +got):\n%s", diff)
	}
}

// steps are the steps at which a page waits for a person.
var steps = []latchkey.State{
	latchkey.StatePreLogin, latchkey.StateAuthorization, latchkey.StateLogin, latchkey.StateTwoFactor,
}

func TestAFormIsAnsweredBySeeOther(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	for _, step := range steps {
		t.Run("at "+string(step), func(t *testing.T) {
			p := begin(s, step)
			version := fmt.Sprint(p.stored().Version)
			for _, form := range []url.Values{
				{"version": {version}}, {"version": {version}, "action": {"resend"}, "code": {""}},
				{"version": {version}, "action": {"poll"}}, {"version": {version}, "provider": {"nobody"}},
				{"version": {"999999"}, "action": {"cancel"}}, {"version": {"-1"}},
			} {
				before := p.stored().State
				answer := p.form(form)
				if answer.Status != http.StatusSeeOther || answer.Header.Get("Location") != p.path() {
					t.Errorf("%v at %s: status %d, Location %q", form, before, answer.Status, answer.Header.Get("Location"))
				}
				p.Reload()
			}
		})
	}
	p := begin(s, latchkey.StatePreLogin)
	before := p.stored()
	for _, form := range []url.Values{
		{}, {"version": {"one"}}, {"version": {"1"}, "action": {"explode"}}, {"version": {"1"}, "action": {"callback"}},
		{"version": {"1", "1"}, "action": {"cancel"}}, {"version": {"1"}, "username": {strings.Repeat("a", 40<<10)}},
	} {
		answer := p.form(form)
		if answer.Status < 400 || answer.Status >= 500 || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
			t.Errorf("a malformed form: status %d, %s", answer.Status, answer.Header.Get("Content-Type"))
		}
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS"} {
		if answer := s.Call(method, p.path(), nil, "apikey", ""); answer.Status < 400 || answer.Status >= 500 {
			t.Errorf("%s: status %d", method, answer.Status)
		}
	}
	if diff := cmp.Diff(before, p.stored()); diff != "" {
		t.Errorf("a malformed form changed the session:\n%s", diff)
	}
}

func TestAFormSentTwiceIsTriedOnce(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	p := begin(s, latchkey.StateLogin)
	form := p.Form("continue", "username", "ada", "password", latchtest.Password)
	release := s.Provider.Hold()
	defer release()
	first := make(chan latchtest.Answer, 1)
	go func() { first <- p.form(form) }()
	latchtest.Eventually(t, "the password is tried", func() bool { return s.Provider.Logins() == 1 })

	var again string // what the second page loads by itself
	t.Run("the second draws that it is being tried", func(t *testing.T) {
		second := s.Visit(p.link.URL)
		second.Post(form)
		if second.Landed != nil || !strings.Contains(second.Title(), "Signing in") {
			t.Errorf("the second sees %q", second.Title())
		}
		seconds, address, _ := strings.Cut(second.Answer.Header.Get("Refresh"), "; url=")
		if seconds != "2" || !strings.HasPrefix(address, "/cs_") {
			t.Errorf("the page is loaded again after %q seconds at %q", seconds, address)
		}
		again = s.URL + address
		second.Submit("poll")
		if !strings.Contains(second.Title(), "Signing in") {
			t.Errorf("a look draws %q", second.Title())
		}
	})
	t.Run("the first links, once", func(t *testing.T) {
		release()
		answer := <-first
		target := answer.Header.Get("Location")
		if answer.Status != http.StatusSeeOther || !strings.Contains(target, "status=success") {
			t.Fatalf("status %d to %q", answer.Status, target)
		}
		if again := p.form(form).Header.Get("Location"); again != target {
			t.Errorf("sent again it leads to %q", again)
		}
		if s.Provider.Logins() != 1 || len(s.Connections()) != 1 {
			t.Errorf("%d logins, %d connections", s.Provider.Logins(), len(s.Connections()))
		}
		waited := s.Call("GET", strings.TrimPrefix(again, s.URL), nil, "apikey", "")
		if waited.Status != http.StatusSeeOther || waited.Header.Get("Location") != target {
			t.Errorf("who waited is answered %d and sent to %q", waited.Status, waited.Header.Get("Location"))
		}
		if other := s.Call("GET", p.path()+"?tried=1", nil, "apikey", ""); other.Status != http.StatusGone {
			t.Errorf("who did not wait is answered %d", other.Status)
		}
	})
}

func TestAnOldPageDrawsTheCurrentStep(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	p := begin(s, latchkey.StatePreLogin)
	old, cancel := p.Form("continue"), p.Form("cancel")
	p.Consent()
	before := p.stored()
	for _, form := range []url.Values{old, cancel} {
		late := s.Visit(p.link.URL)
		late.Post(form)
		if late.Landed != nil || late.Page.Find(`input[name="password"]`).Length() != 1 {
			t.Errorf("an old page's %s draws %q", form.Get("action"), late.Title())
		}
	}
	if diff := cmp.Diff(before, p.stored()); diff != "" {
		t.Errorf("an old page changed the session:\n%s", diff)
	}
}
