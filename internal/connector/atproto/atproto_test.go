package atproto_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/atproto"
	"latchkey/internal/connector/connectortest"
	"latchkey/internal/latchtest/atprototest"
)

const (
	handle      = "ada.test"
	password    = `Tr0ub4dor & "quotes" ä`
	appPassword = "abcd-efgh-ijkl-mnop"
)

// ada is the account of the tests, which has a second factor.
var ada = atprototest.Account{
	Handle: handle, Password: password, AppPassword: appPassword, Name: "Ada Lovelace",
	Avatar: "https://cdn.example.com/ada.jpg", SecondFactor: true,
}

// provider returns a connector for the server.
func provider(s *atprototest.Server) connector.Connector {
	return atproto.New(atproto.Config{Resolver: s.Resolver(), Directory: s.Directory(), Loopback: true})
}

// client is a way out to loopback.
func client() *http.Client {
	return &http.Client{Transport: &http.Transport{}, Timeout: 5 * time.Second}
}

func TestTheContractIsKept(t *testing.T) {
	newCase := func(server *atprototest.Server) connectortest.Case {
		return connectortest.Case{
			New:   func(func() time.Time) connector.Connector { return provider(server) },
			Start: time.Now(), HTTP: client(),
		}
	}
	submission := func(fields ...string) connectortest.Submission {
		s := connectortest.Submission{Fields: map[string]string{}}
		for i := 0; i+1 < len(fields); i += 2 {
			s.Fields[fields[i]] = fields[i+1]
		}
		return s
	}
	wrongPassword := connectortest.Wrong{
		Name: "a wrong password is refused", Submission: submission("username", handle, "password", "wrong-canary-4471"),
		Code: latchkey.FailureInvalidCredentials,
	}
	t.Run("with a password and no second factor", func(t *testing.T) {
		server := atprototest.Start(t, atprototest.Options{})
		plain := ada
		plain.SecondFactor = false
		server.Create(plain)
		c := newCase(server)
		c.Walk = []connectortest.Submission{submission("username", "@"+handle, "password", password)}
		c.Wrong = []connectortest.Wrong{wrongPassword}
		connectortest.Run(t, c)
	})
	t.Run("with an app password, which needs no second factor", func(t *testing.T) {
		server := atprototest.Start(t, atprototest.Options{Bare: true})
		c := newCase(server)
		c.Walk = []connectortest.Submission{submission("username", server.Create(ada), "password", appPassword)}
		c.Wrong = []connectortest.Wrong{wrongPassword}
		connectortest.Run(t, c)
	})
	t.Run("the second factor's prompt", func(t *testing.T) {
		server := atprototest.Start(t, atprototest.Options{})
		server.Create(ada)
		c := newCase(server)
		c.Resent = []string{"password"}
		c.Walk = []connectortest.Submission{
			submission("username", handle, "password", password), {Action: latchkey.ActionResend},
			{Action: latchkey.ActionBack}, submission("username", handle, "password", appPassword),
		}
		c.Wrong = []connectortest.Wrong{wrongPassword, {
			Name: "a wrong code is refused", At: 1, Submission: submission("code", "WRONG-CODE2"), Code: latchkey.FailureTwoFactor,
		}}
		connectortest.Run(t, c)
	})
}

func TestWithoutAConfigurationItGoesToThePublicNetwork(t *testing.T) {
	d := atproto.New(atproto.Config{}).Describe()
	if len(d.Environments) != 1 || d.Environments[0] != latchkey.Live {
		t.Errorf("environments %v", d.Environments)
	}
	var asked []string
	spy := roundTrip(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.String())
		return nil, context.DeadlineExceeded
	})
	v := visitor{t: t, provider: atproto.New(atproto.Config{}), http: &http.Client{Transport: spy}}
	v.begin()
	if _, err := v.submit("username", "ada.example.com", "password", password); err == nil {
		t.Error("a network that is down went unnoticed")
	}
	want := []string{
		"https://cloudflare-dns.com/dns-query?name=_atproto.ada.example.com&type=TXT",
		"https://ada.example.com/.well-known/atproto-did",
	}
	if len(asked) != 2 || asked[0] != want[0] || asked[1] != want[1] {
		t.Errorf("asked %q", asked)
	}
}

// roundTrip is a transport.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
