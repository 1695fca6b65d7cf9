package connectortest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"latchkey"
	"latchkey/internal/connector"
)

// skilled is the imaginary provider with every skill, each of which a test may
// bend.
type skilled struct {
	*provider
	base      *url.URL
	authorize func(*http.Request, []byte) error
	keep      bool
	check     func([]byte) (connector.Profile, error)
	refresh   func([]byte) (connector.Credential, error)
	revoke    func() error
	handler   http.Handler
}

func (s *skilled) Base([]byte) (*url.URL, error) { return s.base, nil }
func (s *skilled) Authorize(out *http.Request, credential []byte) error {
	return s.authorize(out, credential)
}
func (s *skilled) Keep(c []byte, _ *http.Response) ([]byte, bool) { return c, s.keep }
func (s *skilled) Revoke(context.Context, connector.Access) error { return s.revoke() }
func (s *skilled) Handler() http.Handler                          { return s.handler }
func (s *skilled) Check(_ context.Context, a connector.Access) (connector.Profile, error) {
	return s.check(a.Credential)
}
func (s *skilled) Refresh(_ context.Context, a connector.Access) (connector.Credential, error) {
	return s.refresh(a.Credential)
}

// train returns a provider whose skills keep the contract.
func train() *skilled {
	good := connector.Profile{User: latchkey.UserData{ID: "1"}, Raw: []byte(`{"id":1}`)}
	return &skilled{
		provider: imagine(),
		base:     &url.URL{Scheme: "https", Host: "api.acme.example", Path: "/v1"},
		authorize: func(out *http.Request, credential []byte) error {
			out.Header.Set("Authorization", "Bearer "+string(credential))
			return nil
		},
		check: func(credential []byte) (connector.Profile, error) {
			if string(credential) != "token-abcdef" {
				return connector.Profile{}, connector.ErrDead
			}
			return good, nil
		},
		refresh: func([]byte) (connector.Credential, error) {
			return connector.Credential{Secret: []byte("token-abcdef")}, nil
		},
		revoke: func() error { return nil },
		handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
		}),
	}
}

func TestSkillsThatKeepTheContractPass(t *testing.T) {
	Run(t, caseOf(train()))
}

func TestASkillThatBreaksTheContractIsFound(t *testing.T) {
	for name, bend := range map[string]func(*skilled){
		"a base without a slash":        func(s *skilled) { s.base.Path = "v1" },
		"a base in clear":               func(s *skilled) { s.base = &url.URL{Scheme: "http", Host: "acme.example"} },
		"a base with a password":        func(s *skilled) { s.base.User = url.UserPassword("a", "b") },
		"a base with a query":           func(s *skilled) { s.base.RawQuery = "a=b" },
		"an authorization of nothing":   func(s *skilled) { s.authorize = func(*http.Request, []byte) error { return nil } },
		"an authorization that refuses": func(s *skilled) { s.authorize = func(*http.Request, []byte) error { return errors.New("no") } },
		"an authorization in the URL": func(s *skilled) {
			s.authorize = func(out *http.Request, credential []byte) error {
				out.Header.Set("X", "y")
				out.URL.RawQuery += "&token=" + string(credential)
				return nil
			}
		},
		"an authorization that leads elsewhere": func(s *skilled) {
			s.authorize = func(out *http.Request, _ []byte) error {
				out.Header.Set("X", "y")
				out.Host = "evil.example"
				return nil
			}
		},
		"an authorization that shows a damaged credential": func(s *skilled) {
			whole := s.authorize
			s.authorize = func(out *http.Request, credential []byte) error {
				if string(credential) == damaged {
					return errors.New("bad credential " + damaged)
				}
				return whole(out, credential)
			}
		},
		"a credential that changes without a reason": func(s *skilled) { s.keep = true },
		"a check that fails": func(s *skilled) {
			s.check = func([]byte) (connector.Profile, error) { return connector.Profile{}, connector.ErrDead }
		},
		"a check that finds somebody else": func(s *skilled) {
			s.check = func([]byte) (connector.Profile, error) {
				return connector.Profile{User: latchkey.UserData{ID: "2"}, Raw: []byte("{}")}, nil
			}
		},
		"a check without JSON": func(s *skilled) {
			s.check = func([]byte) (connector.Profile, error) {
				return connector.Profile{User: latchkey.UserData{ID: "1"}}, nil
			}
		},
		"a refresh that fails": func(s *skilled) {
			s.refresh = func([]byte) (connector.Credential, error) { return connector.Credential{}, connector.ErrDead }
		},
		"a refresh of nothing": func(s *skilled) {
			s.refresh = func([]byte) (connector.Credential, error) { return connector.Credential{}, nil }
		},
		"a refresh that shares the old bytes": func(s *skilled) {
			s.refresh = func(old []byte) (connector.Credential, error) { return connector.Credential{Secret: old}, nil }
		},
		"a revocation that can't be repeated": func(s *skilled) {
			calls := 0
			s.revoke = func() error {
				if calls++; calls > 1 {
					return errors.New("already revoked")
				}
				return nil
			}
		},
		"a handler that is none": func(s *skilled) { s.handler = nil },
		"a handler that serves anybody": func(s *skilled) {
			s.handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := train()
			bend(s)
			if len(checkSkills(t.Context(), caseOf(s), linked())) == 0 {
				t.Error("it passed")
			}
		})
	}
}
