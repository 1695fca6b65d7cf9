package connectortest

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// plainLogo is the least logo that passes.
const plainLogo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z" fill="url(#a)"/></svg>`

// canary is the password of the imaginary provider.
const canary = "canary-52c0de-password"

// provider is an imaginary provider that keeps the contract, until a test bends
// one of its functions.
type provider struct {
	description connector.Description
	first       func() (connector.Step, error)
	next        func(context.Context, connector.Flow, connector.Input) (connector.Step, error)
}

// Describe returns the description.
func (p *provider) Describe() connector.Description { return p.description }

// Advance calls first or next.
func (p *provider) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	if flow.State == nil {
		return p.first()
	}
	return p.next(ctx, flow, input)
}

// login is the question of the imaginary provider.
func login(refused latchkey.FailureCode) connector.Prompt {
	return connector.Prompt{
		At: latchkey.StateLogin, State: []byte("login"), Refused: refused,
		Prompt: latchkey.Prompt{Fields: []latchkey.Field{
			{Name: "username", Type: latchkey.FieldText, Label: "Name", Autocomplete: "username"},
			{Name: "password", Type: latchkey.FieldPassword, Label: "Password", Autocomplete: "current-password"},
		}},
	}
}

// linked is the end of the imaginary login.
func linked() connector.Done {
	return connector.Done{
		User:       latchkey.UserData{ID: "1", Username: "jo"},
		Credential: connector.Credential{Secret: []byte("token-abcdef")},
	}
}

// imagine returns a provider that keeps the contract.
func imagine() *provider {
	return &provider{
		description: connector.Description{
			ID: "acme", Name: "Acme", Domain: "acme.example", Logo: []byte(plainLogo),
			Environments: []latchkey.Environment{latchkey.Live},
		},
		first: func() (connector.Step, error) { return login(""), nil },
		next: func(_ context.Context, _ connector.Flow, input connector.Input) (connector.Step, error) {
			if string(input.Fields["password"].Reveal()) != canary {
				return login(latchkey.FailureInvalidCredentials), nil
			}
			return linked(), nil
		},
	}
}

// caseOf returns the case of a provider.
func caseOf(c connector.Connector) Case {
	return Case{
		New:  func(func() time.Time) connector.Connector { return c },
		Walk: []Submission{{Fields: map[string]string{"username": "jo", "password": canary}}},
		Wrong: []Wrong{{
			Name:       "a wrong password is refused",
			Submission: Submission{Fields: map[string]string{"username": "jo", "password": "wrong-canary-98"}},
			Code:       latchkey.FailureInvalidCredentials,
		}},
	}
}

// walked returns the errors of a whole walk.
func walked(t *testing.T, c Case) []error {
	t.Helper()
	_, errs := checkWalk(t.Context(), c)
	return errs
}

func TestAProviderThatKeepsTheContractPasses(t *testing.T) {
	Run(t, caseOf(imagine()))
}

func TestADescriptionThatBreaksTheContractIsFound(t *testing.T) {
	for name, bend := range map[string]func(*connector.Description){
		"an id with a capital":      func(d *connector.Description) { d.ID = "Acme" },
		"an id that is too long":    func(d *connector.Description) { d.ID = strings.Repeat("a", 33) },
		"no name":                   func(d *connector.Description) { d.Name = " " },
		"a URL for a domain":        func(d *connector.Description) { d.Domain = "https://acme.example" },
		"no environment":            func(d *connector.Description) { d.Environments = nil },
		"an unknown environment":    func(d *connector.Description) { d.Environments = []latchkey.Environment{"staging"} },
		"no logo":                   func(d *connector.Description) { d.Logo = nil },
		"a logo that is too large":  func(d *connector.Description) { d.Logo = []byte(plainLogo + strings.Repeat(" ", 16<<10)) },
		"a logo that is an image":   func(d *connector.Description) { d.Logo = []byte("\x89PNG\r\n\x1a\n") },
		"a logo that is HTML":       func(d *connector.Description) { d.Logo = []byte("<html></html>") },
		"a logo outside the SVG ns": func(d *connector.Description) { d.Logo = []byte(`<svg viewBox="0 0 1 1"/>`) },
		"a logo that is cut off":    func(d *connector.Description) { d.Logo = []byte(plainLogo[:60]) },
	} {
		t.Run(name, func(t *testing.T) {
			p := imagine()
			bend(&p.description)
			if len(checkDescription(p)) == 0 {
				t.Error("it passed")
			}
		})
	}
}

func TestALogoThatCanDoMoreThanBeDrawnIsFound(t *testing.T) {
	for _, inside := range []string{
		`<script>x</script>`, `<path onload="x"/>`, `<path ONCLICK="x"/>`, `<foreignObject/>`, `<image href="#a"/>`, `<a href="#b"/>`,
		`<style>x</style>`, `<path style="fill:red"/>`, `<animate/>`, `<set/>`, `<path fill="url(https://evil.example/a)"/>`,
		`<path fill="url( '//evil.example' )"/>`, `<use href="https://evil.example/a.svg#b"/>`,
		`<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="data:x"/>`, `<?xml-stylesheet href="a"?>`,
	} {
		logo := strings.Replace(plainLogo, "</svg>", inside+"</svg>", 1)
		if len(checkLogo([]byte(logo))) == 0 {
			t.Errorf("%s passed", inside)
		}
	}
	if len(checkLogo([]byte(`<!DOCTYPE svg [<!ENTITY a "b">]>`+plainLogo))) == 0 {
		t.Error("a document type passed")
	}
	if errs := checkLogo([]byte(`<?xml version="1.0"?>` + plainLogo)); len(errs) > 0 {
		t.Errorf("a plain logo was refused: %v", errs)
	}
}

func TestALoginThatBreaksTheContractIsFound(t *testing.T) {
	type next = func(context.Context, connector.Flow, connector.Input) (connector.Step, error)
	answer := func(step connector.Step) next {
		return func(context.Context, connector.Flow, connector.Input) (connector.Step, error) { return step, nil }
	}
	secondFactor := func(autocomplete string, second *latchkey.TwoFactorState) connector.Prompt {
		return connector.Prompt{At: latchkey.StateTwoFactor, State: []byte("2fa"), Prompt: latchkey.Prompt{
			TwoFactor: second,
			Fields:    []latchkey.Field{{Name: "code", Type: latchkey.FieldCode, Label: "Code", Autocomplete: autocomplete}},
		}}
	}
	leaky := login("")
	leaky.State = []byte("login " + canary)
	encoded := login("")
	encoded.State = []byte("x" + base64.StdEncoding.EncodeToString([]byte("jo:"+canary)))
	echoing := login("")
	echoing.Prompt.Message = "Not " + canary
	nameless := linked()
	nameless.User.Username = ""
	keyless := linked()
	keyless.Credential.Secret = nil
	for name, bent := range map[string]next{
		"a state that holds the password":      answer(leaky),
		"a state that holds it in base64":      answer(encoded),
		"a message that echoes the password":   answer(echoing),
		"a prompt without a state":             answer(connector.Prompt{At: latchkey.StateLogin, Prompt: login("").Prompt}),
		"a prompt that is nowhere":             answer(connector.Prompt{At: latchkey.StateTrying, State: []byte("x"), Prompt: login("").Prompt}),
		"a prompt that asks for nothing":       answer(connector.Prompt{At: latchkey.StateLogin, State: []byte("x")}),
		"a code that a browser would remember": answer(secondFactor("on", &latchkey.TwoFactorState{Options: []string{"app"}})),
		"a second factor that tells nothing":   answer(secondFactor("one-time-code", nil)),
		"a second factor without options":      answer(secondFactor("one-time-code", &latchkey.TwoFactorState{})),
		"a budget that is overdrawn":           answer(secondFactor("one-time-code", &latchkey.TwoFactorState{Options: []string{"phone"}, PhoneCode: &latchkey.CodeBudget{RequestAttemptsLeft: -1}})),
		"a wait for nothing":                   answer(connector.Wait{State: []byte("x")}),
		"a wait without a state":               answer(connector.Wait{After: time.Second}),
		"a redirect to a script":               answer(connector.Redirect{URL: "javascript:alert(1)", State: []byte("x")}),
		"a redirect in clear":                  answer(connector.Redirect{URL: "http://acme.example/", State: []byte("x")}),
		"a redirect with the password":         answer(connector.Redirect{URL: "https://acme.example/?p=" + canary, State: []byte("x")}),
		"an account without a username":        answer(nameless),
		"an account without a credential":      answer(keyless),
		"a pointer for a step":                 answer(&leaky),
		"no step and no error":                 answer(nil),
		"a walk that never ends":               answer(login("")),
		"a refusal of the right input":         answer(login(latchkey.FailureInvalidCredentials)),
		"a failure without a code": func(context.Context, connector.Flow, connector.Input) (connector.Step, error) {
			return nil, &connector.Failure{Reason: "x"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := imagine()
			p.next = bent
			if len(walked(t, caseOf(p))) == 0 {
				t.Error("it passed")
			}
		})
	}
	t.Run("a first step that waits", func(t *testing.T) {
		p := imagine()
		p.first = func() (connector.Step, error) { return connector.Wait{After: time.Second, State: []byte("x")}, nil }
		if len(walked(t, caseOf(p))) == 0 {
			t.Error("it passed")
		}
	})
	t.Run("a password that no manager would fill in", func(t *testing.T) {
		p := imagine()
		p.first = func() (connector.Step, error) {
			step := login("")
			step.Prompt.Fields[1].Autocomplete = "off"
			return step, nil
		}
		if len(walked(t, caseOf(p))) == 0 {
			t.Error("it passed")
		}
	})
}

func TestMemoryBetweenStepsIsFound(t *testing.T) {
	c := caseOf(nil)
	c.New = func(func() time.Time) connector.Connector {
		p := imagine()
		begun := false // lives in the instance, where nothing may
		p.first = func() (connector.Step, error) { begun = true; return login(""), nil }
		p.next = func(context.Context, connector.Flow, connector.Input) (connector.Step, error) {
			if !begun {
				return login(latchkey.FailureSessionExpired), nil
			}
			return linked(), nil
		}
		return p
	}
	if len(walked(t, c)) == 0 {
		t.Error("it passed")
	}
}

func TestAnErrorThatShowsThePasswordIsFoundAndNotRepeated(t *testing.T) {
	p := imagine()
	p.next = func(_ context.Context, _ connector.Flow, input connector.Input) (connector.Step, error) {
		return nil, errors.New("bad password " + string(input.Fields["password"].Reveal()))
	}
	errs := walked(t, caseOf(p))
	if len(errs) == 0 || strings.Contains(errors.Join(errs...).Error(), canary) {
		t.Error("it passed, or was repeated")
	}
}

func TestARefusalThatBreaksTheContractIsFound(t *testing.T) {
	for name, bent := range map[string]func() (connector.Step, error){
		"another code":        func() (connector.Step, error) { return login(latchkey.FailureTwoFactor), nil },
		"a new question":      func() (connector.Step, error) { return login(""), nil },
		"a linked account":    func() (connector.Step, error) { return linked(), nil },
		"no reachable answer": func() (connector.Step, error) { return nil, errors.New("timeout") },
		"another failure":     func() (connector.Step, error) { return nil, &connector.Failure{Code: latchkey.FailureAccountLocked} },
	} {
		t.Run(name, func(t *testing.T) {
			p := imagine()
			p.next = func(context.Context, connector.Flow, connector.Input) (connector.Step, error) { return bent() }
			c := caseOf(p)
			if len(checkWrong(t.Context(), c, c.Wrong[0])) == 0 {
				t.Error("it passed")
			}
		})
	}
	t.Run("a case without any wrong input", func(t *testing.T) {
		c := caseOf(imagine())
		c.Wrong = nil
		if len(checkRefusals(t.Context(), c)) == 0 {
			t.Error("it passed")
		}
	})
}

func TestACancelledCallThatEndsTheLoginIsFound(t *testing.T) {
	p := imagine()
	p.next = func(ctx context.Context, _ connector.Flow, _ connector.Input) (connector.Step, error) {
		if ctx.Err() != nil {
			return nil, &connector.Failure{Code: latchkey.FailureProviderUnavailable}
		}
		return linked(), nil
	}
	if len(checkCancellation(t.Context(), caseOf(p))) == 0 {
		t.Error("it passed")
	}
}

func TestARedirectIsFollowed(t *testing.T) {
	p := imagine()
	p.first = func() (connector.Step, error) {
		return connector.Redirect{URL: "https://acme.example/login?state=s1", State: []byte("s1")}, nil
	}
	p.next = func(_ context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
		if input.Action != latchkey.ActionCallback || input.Query.Get("state") != string(flow.State) {
			return nil, &connector.Failure{Code: latchkey.FailureAccessDenied}
		}
		return linked(), nil
	}
	c := caseOf(p)
	c.Walk = []Submission{{Callback: func(_ context.Context, redirect string) (url.Values, error) {
		target, err := url.Parse(redirect)
		if err != nil {
			return nil, err
		}
		return url.Values{"state": {target.Query().Get("state")}, "code": {"one-time-code-1"}}, nil
	}}}
	if errs := walked(t, c); len(errs) > 0 {
		t.Error(errs)
	}
	c.Walk[0].Callback = nil
	if len(walked(t, c)) == 0 {
		t.Error("a redirect that nobody follows passed")
	}
}

func TestTheNetworkIsClosedUnlessTheCaseOpensIt(t *testing.T) {
	p := imagine()
	p.next = func(ctx context.Context, flow connector.Flow, _ connector.Input) (connector.Step, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://acme.example/", nil)
		if err != nil {
			return nil, err
		}
		answer, err := flow.HTTP.Do(request)
		if err != nil {
			return nil, err
		}
		return linked(), answer.Body.Close()
	}
	if len(walked(t, caseOf(p))) == 0 {
		t.Error("a request went out")
	}
}
