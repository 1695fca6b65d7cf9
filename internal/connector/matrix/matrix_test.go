package matrix_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/connectortest"
	"latchkey/internal/connector/matrix"
	"latchkey/internal/latchtest/matrixtest"
)

const password = `Tr0ub4dor & "quotes" ä`

// ada is the user of the tests.
var ada = matrixtest.User{Localpart: "ada", Password: password, DisplayName: "Ada Lovelace", AvatarURL: "mxc://example.org/abc123"}

// Ways to log in.
var (
	ssoOnly = []string{"m.login.sso", "m.login.token"}
	both    = []string{"m.login.password", "m.login.sso", "m.login.token"}
)

// provider returns a connector for homeservers on this machine.
func provider() connector.Connector { return matrix.New(matrix.Config{Loopback: true}) }

// client is a way out to loopback.
func client() *http.Client {
	return &http.Client{Transport: &http.Transport{}, Timeout: 5 * time.Second}
}

func TestTheContractIsKept(t *testing.T) {
	newCase := func() connectortest.Case {
		return connectortest.Case{
			New:   func(func() time.Time) connector.Connector { return provider() },
			Start: time.Now(), HTTP: client(),
		}
	}
	named := func(id string) connectortest.Submission {
		return connectortest.Submission{Fields: map[string]string{"username": id}}
	}
	badName := connectortest.Wrong{Name: "what is no Matrix ID is refused", Submission: named("ada"), Code: latchkey.FailureInvalidCredentials}
	for name, life := range map[string]time.Duration{"with a password": 0, "with a password, and tokens that never end": -1} {
		t.Run(name, func(t *testing.T) {
			server := matrixtest.Start(t, matrixtest.Options{Life: life})
			c := newCase()
			c.Walk = []connectortest.Submission{named(server.Create(ada)), {Fields: map[string]string{"password": password}}}
			c.Wrong = []connectortest.Wrong{badName, {
				Name: "a wrong password is refused", At: 1, Code: latchkey.FailureInvalidCredentials,
				Submission: connectortest.Submission{Fields: map[string]string{"password": "wrong-canary-8812"}},
			}}
			if life < 0 {
				c.New = func(func() time.Time) connector.Connector { return unrefreshed{provider()} }
			}
			connectortest.Run(t, c)
		})
	}
	t.Run("on the homeserver's own page", func(t *testing.T) {
		server := matrixtest.Start(t, matrixtest.Options{Flows: both})
		c := newCase()
		signIn := func(ctx context.Context, redirect string) (url.Values, error) {
			back, err := server.SignIn(ctx, redirect, "ada", password)
			if err != nil {
				return nil, err
			}
			return back.Query(), nil
		}
		c.Walk = []connectortest.Submission{named(server.Create(ada)), {Callback: signIn}}
		c.Wrong = []connectortest.Wrong{badName, {
			Name: "an answer to another redirect is refused", At: 1, Code: latchkey.FailureAccessDenied,
			Submission: connectortest.Submission{Callback: func(ctx context.Context, redirect string) (url.Values, error) {
				query, err := signIn(ctx, redirect)
				query.Set("state", "of another session")
				return query, err
			}},
		}}
		connectortest.Run(t, c)
	})
}

// unrefreshed hides the skill of renewing, which a homeserver without refresh
// tokens does not have.
type unrefreshed struct{ connector.Connector }

func TestWithoutAConfigurationItServesLiveAccounts(t *testing.T) {
	d := matrix.New(matrix.Config{}).Describe()
	if len(d.Environments) != 1 || d.Environments[0] != latchkey.Live {
		t.Errorf("environments %v", d.Environments)
	}
}
