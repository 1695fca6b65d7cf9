package hosted_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
	"latchkey/internal/link"
)

// ownPage is a provider at whose own page people log in. The answer's code is
// the name of who did.
type ownPage struct{ id string }

func (o ownPage) Describe() connector.Description {
	return connector.Description{
		ID: o.id, Name: "Own Page", Domain: "own.example", OwnPage: true,
		Environments: []latchkey.Environment{latchkey.Sandbox},
	}
}

func (o ownPage) Advance(_ context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	if flow.State == nil {
		query := url.Values{"redirect_uri": {flow.CallbackURL}, "state": {flow.RedirectState}}
		return connector.Redirect{
			URL: "https://own.example/authorize?" + query.Encode(), State: []byte(flow.RedirectState),
		}, nil
	}
	if input.Action != latchkey.ActionCallback || input.Query.Get("state") != string(flow.State) {
		return nil, fmt.Errorf("an answer with action %q that is none", input.Action)
	}
	if input.Query.Get("error") != "" {
		return nil, &connector.Failure{Code: latchkey.FailureAccessDenied, Reason: "the person said no"}
	}
	name := input.Query.Get("code")
	return connector.Done{
		User:       latchkey.UserData{ID: "id of " + name, Name: name, Username: name},
		Credential: connector.Credential{Secret: []byte("token of " + name)},
	}, nil
}

// startOwnPage is a server all of whose apps link to two such providers.
func startOwnPage(t *testing.T) *latchtest.Server {
	s := latchtest.Start(t, latchtest.Options{Connectors: []connector.Connector{ownPage{"own"}, ownPage{"other"}}})
	for appType := range s.Trial.ClientApps {
		s.ChangeApp(appType, func(app *latchkey.ClientApp) { app.Providers = []string{"own", "other"} })
	}
	return s
}

// away is a person at the provider's own page.
func away(s *latchtest.Server, provider string) (*person, *url.URL) {
	s.Helper()
	link := s.Init(map[string]any{"provider": provider})
	p := &person{Visit: s.Visit(link.URL), server: s, link: link}
	p.Consent()
	target := p.Leave()
	if target.Host != "own.example" {
		s.Fatalf("the person was sent to %s", target)
	}
	return p, target
}

// back is the address by which the provider sends the person back.
func back(target *url.URL, pairs ...string) string {
	query := url.Values{"state": {target.Query().Get("state")}}
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	return target.Query().Get("redirect_uri") + "?" + query.Encode()
}

func TestAPersonComesBackFromTheProviderToTheApp(t *testing.T) {
	s := startOwnPage(t)
	p, target := away(s, "own")
	if want := s.URL + "/callback/own/" + s.Trial.OrganisationID; target.Query().Get("redirect_uri") != want {
		t.Errorf("the redirect URI is %s, want %s", target.Query().Get("redirect_uri"), want)
	}
	p.Arrive(back(target, "code", "ada"))
	if p.Landed == nil || p.Landed.Query().Get("status") != "success" || p.Landed.Query().Get("connection_id") == "" {
		t.Fatalf("landed at %v: %s", p.Landed, p.Text())
	}
	if got := p.stored(); got.State != latchkey.StateCompleted || got.Progress.UserData.Username != "ada" {
		t.Errorf("the session is %s: %+v", got.State, got.Progress)
	}
	if again := p.Arrive(back(target, "code", "eve")); again.Answer.Status != http.StatusForbidden {
		t.Errorf("the answer a second time is %d: %s", again.Answer.Status, again.Text())
	}
	if connections := s.Want(http.StatusOK, "GET", "/v2/connections", nil); strings.Contains(string(connections.Body), "eve") {
		t.Errorf("a second answer linked: %s", connections.Body)
	}
}

func TestARefusalAtTheProviderIsExplained(t *testing.T) {
	s := startOwnPage(t)
	p, target := away(s, "own")
	p.Arrive(back(target, "error", "access_denied"))
	if p.Landed != nil || p.stored().State != latchkey.StateDenied {
		t.Fatalf("landed at %v, the session is %s", p.Landed, p.stored().State)
	}
	if p.Submit("continue"); p.Landed == nil || p.Landed.Query().Get("error_code") != "access_denied" {
		t.Errorf("landed at %v", p.Landed)
	}
}

func TestNoAnswerOfAnotherBrowserSessionOrProviderIsTaken(t *testing.T) {
	s := startOwnPage(t)
	const rounds = 20
	accepted, tries := 0, 0
	for range rounds {
		victim, target := away(s, "own")
		other, otherTarget := away(s, "other")
		state, callback := target.Query().Get("state"), target.Query().Get("redirect_uri")
		parts := strings.Split(state, ".")
		forge := func(query string) string { return callback + "?code=eve" + query }
		forgeries := []struct {
			address string
			by      *latchtest.Visit
		}{
			{back(target, "code", "eve"), &latchtest.Visit{}},                                      // no cookie
			{back(target, "code", "eve"), other.Visit},                                             // another browser
			{back(otherTarget, "code", "eve"), victim.Visit},                                       // another session's answer
			{back(target, "code", "eve", "state", otherTarget.Query().Get("state")), victim.Visit}, // and at the path of this
			{strings.Replace(back(target, "code", "eve"), "/own/", "/other/", 1), victim.Visit},
			{strings.Replace(back(target, "code", "eve"), "/own/", "/nobody/", 1), victim.Visit},
			{strings.Replace(back(target, "code", "eve"), s.Trial.OrganisationID, "org_other", 1), victim.Visit},
			{forge(""), victim.Visit},
			{forge("&state="), victim.Visit},
			{forge("&state=" + state + "&state=" + state), victim.Visit},
			{forge("&state=" + url.QueryEscape(state+"x")), victim.Visit},
			{forge("&state=" + state[:len(state)-1]), victim.Visit},
			{forge("&state=" + parts[0] + ".0." + parts[2]), victim.Visit},
			{forge("&state=" + parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2]))), victim.Visit},
			{forge("&state=" + parts[0] + "." + parts[1] + "."), victim.Visit},
			{forge("&state=" + parts[0]), victim.Visit},
			{forge("&state=ls_" + strings.Repeat("0", 22) + "." + parts[1] + "." + parts[2]), victim.Visit},
			{forge("&state=" + strings.Repeat("a.", 2000)), victim.Visit},
			{forge("&state=%ff%00." + parts[1] + "." + parts[2]), victim.Visit},
			{forge("&state=" + strings.ToLower(state)), victim.Visit},
			{forge("&%zz&state=" + state), victim.Visit},
			{forge("&state=" + state + ";state=" + state), victim.Visit},
			{forge("&State=" + state), victim.Visit},
			{forge("&state=" + parts[0] + ".-1." + parts[2]), victim.Visit},
			{forge("&state=" + parts[0] + ".9223372036854775808." + parts[2]), victim.Visit},
		}
		for i, forged := range forgeries {
			tries++
			answer := s.Bring(forged.address, forged.by.Cookies)
			if state := victim.stored().State; state != latchkey.StateRedirect || answer.Status == http.StatusSeeOther {
				t.Fatalf("forgery %d was answered %d, and the session is %s", i, answer.Status, state)
			}
		}
		if other.stored().State != latchkey.StateRedirect {
			accepted++
		}
		if victim.Arrive(back(target, "code", "ada")); victim.stored().State != latchkey.StateCompleted {
			t.Fatalf("the right answer was not taken after them: %s", victim.Text())
		}
	}
	fmt.Printf("RESULT R-7 %d 0\nRESULT R-7.n %d 500\n", accepted, tries)
	if accepted > 0 || tries < 500 {
		t.Errorf("%d of %d forged answers were taken", accepted, tries)
	}
}

func TestAWhitelabelAppSendsItsUserByOurPage(t *testing.T) {
	s := startOwnPage(t)
	begun := s.Init(map[string]any{"clientAppId": s.Trial.ClientApps[latchkey.AppWhitelabel], "provider": "own"})
	body := map[string]any{"version": 1, "fields": map[string]string{"textVersion": link.ConsentTextVersion}}
	answer := s.Want(http.StatusAccepted, "POST", "/v2/link/"+begun.Secret()+"/submit", body)
	step := latchtest.Decode[struct {
		Data struct {
			Step struct {
				Name string `json:"name"`
				URL  string `json:"url"`
			} `json:"step"`
		} `json:"data"`
	}](s, answer).Data.Step
	if want := s.URL + "/s/" + begun.Secret() + "/provider"; step.Name != "redirect" || step.URL != want {
		t.Fatalf("the step is %+v, want the page %s", step, want)
	}
	if byID := s.Want(http.StatusOK, "GET", "/v2/link/sessions/"+begun.SessionID, nil); strings.Contains(string(byID.Body), "own.example") ||
		strings.Contains(string(byID.Body), begun.Secret()) {
		t.Errorf("the session by its id tells %s", byID.Body)
	}
	sent := s.Want(http.StatusSeeOther, "GET", strings.TrimPrefix(step.URL, s.URL), nil, "apikey", "")
	target, err := url.Parse(sent.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	arrived := s.Bring(back(target, "code", "ada"), (&http.Response{Header: sent.Header}).Cookies())
	if landed := arrived.Header.Get("Location"); arrived.Status != http.StatusSeeOther || !strings.Contains(landed, "status=success") {
		t.Errorf("arrived with %d at %q", arrived.Status, landed)
	}
}

func TestThePageToTheProviderChangesNothing(t *testing.T) {
	s := startOwnPage(t)
	p, _ := away(s, "own")
	before := p.stored().Version
	for range 3 {
		p.Leave()
	}
	if after := p.stored().Version; after != before {
		t.Errorf("leaving changed the session from version %d to %d", before, after)
	}
	cookie := p.Cookies[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.MaxAge != 3600 {
		t.Errorf("the cookie is %s", cookie)
	}
	early := s.Init(map[string]any{"provider": "own"})
	answer := s.Want(http.StatusSeeOther, "GET", "/s/"+early.Secret()+"/provider", nil, "apikey", "")
	if got := answer.Header.Get("Location"); got != "/s/"+early.Secret() || len(answer.Header["Set-Cookie"]) > 0 {
		t.Errorf("before consent it leads to %q with cookies %q", got, answer.Header["Set-Cookie"])
	}
	s.Want(http.StatusNotFound, "GET", "/s/cs_"+strings.Repeat("0", 43)+"/provider", nil, "apikey", "")
}
