package hosted_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
)

func TestAPersonCanLeaveAtEveryStep(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	for _, step := range steps {
		t.Run("at "+string(step), func(t *testing.T) {
			p := begin(s, step)
			if step == latchkey.StateAuthorization {
				p.Submit("deny")
			} else {
				p.Submit("cancel")
			}
			p.wantLanded(map[string]string{"status": "cancelled", "step": string(step)})
			if flow := p.stored().Flow; flow != nil {
				t.Error("what the session held is still there")
			}
		})
	}
	t.Run("also where the button is not shown", func(t *testing.T) {
		p := begin(s, latchkey.StateAuthorization)
		form := p.Form("deny")
		form.Set("action", "cancel")
		p.Post(form)
		p.wantLanded(map[string]string{"status": "cancelled", "step": "authorization"})
	})
	t.Run("and go back before they leave", func(t *testing.T) {
		p := begin(s, latchkey.StateLogin)
		p.Submit("back")
		if p.Page.Find(`button[value="approve"]`).Length() != 1 {
			t.Fatalf("back from the login leads to %q", p.Title())
		}
		p.Submit("back")
		if p.stored().State != latchkey.StatePreLogin {
			t.Fatalf("back from the consent leads to %q", p.Title())
		}
		p.Consent().Submit("continue", "username", "ada", "password", latchtest.Password)
		if p.Landed == nil {
			t.Fatalf("after going back the link does not end: %s", p.Text())
		}
	})
}

func TestARefusalStaysAtItsStep(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	t.Run("a wrong password and a wrong code cost an attempt each", func(t *testing.T) {
		p := begin(s, latchkey.StateLogin)
		for _, left := range []string{"4 attempts left", "3 attempts left"} {
			p.Submit("continue", "username", "otp", "password", "wrong")
			if p.Landed != nil || !strings.Contains(p.Text(), left) || !strings.HasPrefix(p.Page.Find("title").Text(), "Error: ") {
				t.Fatalf("want %s: %s", left, p.Text())
			}
			if p.Page.Find(`input[value="wrong"], input[value="otp"]`).Length() != 0 {
				t.Error("what was typed comes back in the page")
			}
		}
		p.Submit("continue", "username", "otp", "password", latchtest.Password)
		p.Submit("continue", "code", "000000")
		if p.Page.Find(`input[name="code"]`).Length() != 1 || !strings.Contains(p.Text(), "4 attempts left") {
			t.Fatalf("after a wrong code: %s", p.Text())
		}
		p.Submit("continue", "code", "246 8-10")
		if p.Landed == nil || p.Landed.Query().Get("status") != "success" {
			t.Fatalf("a code with spaces is refused: %s", p.Text())
		}
	})
	t.Run("an empty form costs none", func(t *testing.T) {
		p := begin(s, latchkey.StateLogin)
		p.Submit("continue")
		if got := p.stored().Progress.AttemptsLeft; got != 5 {
			t.Errorf("%d attempts left, want 5", got)
		}
	})
	t.Run("a provider that is down is told of, at the step", func(t *testing.T) {
		p := begin(s, latchkey.StateLogin)
		s.Provider.Down(true)
		defer s.Provider.Down(false)
		p.Submit("continue", "username", "ada", "password", latchtest.Password)
		if p.Landed != nil || !strings.Contains(p.Text(), "Tester could not be reached just now") {
			t.Errorf("it says %s", p.Text())
		}
	})
}

func TestAnErrorIsExplainedBeforeThePersonGoesBack(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	t.Run("a locked account", func(t *testing.T) {
		p := begin(s, latchkey.StateLogin)
		login := p.Form("continue", "username", "locked", "password", latchtest.Password)
		p.Post(login)
		for range 2 { // the same form again explains it again
			if p.Landed != nil || p.Title() != "Tester has locked this account" || p.Answer.Status != http.StatusOK {
				t.Fatalf("%d %q, sent to %v", p.Answer.Status, p.Title(), p.Landed)
			}
			p.Post(login)
		}
		p.Submit("continue")
		p.wantLanded(map[string]string{"status": "error", "error_code": "account_locked"})
	})
	t.Run("too many attempts", func(t *testing.T) {
		p := begin(s, latchkey.StateLogin)
		for range 5 {
			p.Submit("continue", "username", "ada", "password", "wrong")
		}
		if p.Landed != nil || p.Title() != "Too many attempts" {
			t.Fatalf("%q, sent to %v", p.Title(), p.Landed)
		}
		p.Submit("continue")
		p.wantLanded(map[string]string{"status": "error", "error_code": "too_many_attempts"})
	})
	for name, swept := range map[string]bool{"a link out of time": false, "one whose end was written down": true} {
		t.Run(name, func(t *testing.T) {
			s := latchtest.Start(t, latchtest.Options{Idle: true})
			p := begin(s, latchkey.StateLogin)
			login := p.Form("continue", "username", "ada", "password", latchtest.Password)
			s.Clock.Move(31 * time.Minute)
			if swept {
				p.Post(login)
			} else {
				p.Reload()
			}
			if p.Answer.Status != http.StatusGone || p.Title() != "This link has expired" || p.Page.Find("input[type=password]").Length() != 0 {
				t.Fatalf("%d %q, sent to %v", p.Answer.Status, p.Title(), p.Landed)
			}
			p.Submit("continue")
			p.wantLanded(map[string]string{"status": "error", "error_code": "session_expired"})
			if s.Provider.Logins() != 0 {
				t.Error("a password was tried after the end")
			}
		})
	}
}

func TestALinkThatOpensNothingRevealsNothing(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	linked := begin(s, latchkey.StateLogin)
	linked.Submit("continue", "username", "ada", "password", latchtest.Password)
	cancelled := begin(s, latchkey.StateLogin)
	cancelled.Submit("cancel")
	deleted := begin(s, latchkey.StateLogin)
	s.Want(http.StatusNoContent, "DELETE", "/v2/link/"+deleted.link.Secret(), nil)
	unknown := strings.Map(func(r rune) rune {
		if r == 'a' {
			return 'b'
		}
		return r
	}, linked.path()) + "a"
	for name, link := range map[string]struct {
		path   string
		status int
	}{
		"a finished link": {linked.path(), http.StatusGone}, "its other address": {"/s" + linked.path(), http.StatusGone},
		"a cancelled link": {cancelled.path(), http.StatusGone}, "a deleted link": {deleted.path(), http.StatusNotFound},
		"an unknown link": {unknown, http.StatusNotFound}, "no link at all": {"/wp-login.php", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			answer := s.Want(link.status, "GET", link.path, nil, "apikey", "")
			told := string(answer.Body)
			for header, values := range answer.Header {
				told += header + strings.Join(values, " ")
			}
			for _, secret := range []string{"Acme", "acme", "Tester", "tester", "callback", "localhost", "order 66", "Sandbox", "cs_"} {
				if strings.Contains(told, secret) {
					t.Errorf("it tells of %q", secret)
				}
			}
			if !strings.Contains(told, "no longer valid") {
				t.Errorf("it says %s", answer.Body)
			}
		})
	}
}

func TestAnApprovalElsewhereIsFinishedByOneButton(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	link := s.Init(map[string]any{"provider": "sandbox"})
	visit := s.Visit(link.URL).Consent().Submit("continue", "username", "jo@push.sandbox.com", "password", "good-password")
	if !strings.Contains(visit.Text(), "Approve the login on your other device") || visit.Answer.Header.Get("Refresh") != "" {
		t.Fatalf("%s, loaded again after %q", visit.Text(), visit.Answer.Header.Get("Refresh"))
	}
	visit.Submit("poll")
	if visit.Landed != nil || !strings.Contains(visit.Text(), "Not yet: ") {
		t.Fatalf("too early it says: %s", visit.Text())
	}
	s.Clock.Move(2 * time.Second)
	visit.Submit("poll")
	if visit.Landed == nil || visit.Landed.Query().Get("status") != "success" {
		t.Fatalf("after the approval: %s", visit.Text())
	}
}

func TestASessionThatItsAppDrivesHasNoPage(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	link := s.Init(map[string]any{
		"clientAppId": s.Trial.ClientApps[latchkey.AppWhitelabel], "provider": latchtest.ProviderID,
	})
	path := "/" + link.Secret()
	if answer := s.Call("GET", path, nil, "apikey", ""); answer.Status != http.StatusNotFound {
		t.Errorf("its page is answered %d", answer.Status)
	}
	answer := s.Call("POST", path, "version=1&action=cancel", "apikey", "", "Content-Type", "application/x-www-form-urlencoded")
	if answer.Status != http.StatusNotFound {
		t.Errorf("a form is answered %d", answer.Status)
	}
	if status := s.Want(http.StatusOK, "GET", "/v2/link/"+link.Secret(), nil); !strings.Contains(string(status.Body), "initialized") {
		t.Errorf("the session has moved: %s", status.Body)
	}
}
