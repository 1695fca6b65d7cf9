package oauth2_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/connectortest"
	"latchkey/internal/connector/oauth2"
)

// zitadel is an OpenID provider that strangers wrote and certified: it runs in
// this process and speaks over a socket.
type zitadel struct {
	testing.TB
	*httptest.Server
	storage *storage.Storage
	client  *http.Client
}

// callbackURL is registered at every peer.
const callbackURL = "https://link.latchkey.example/callback/peer"

// newZitadel starts the provider, with people who log in by being sent there.
func newZitadel(t *testing.T) *zitadel {
	t.Helper()
	z := &zitadel{TB: t, client: noFollow()}
	mux := http.NewServeMux()
	z.Server = httptest.NewServer(mux)
	t.Cleanup(z.Close)
	users := storage.NewUserStore(z.URL)
	z.storage = storage.NewStorageWithClients(users, map[string]*storage.Client{
		"latchkey": storage.WebClient("latchkey", "shh + & secret/=%", callbackURL),
		"other":    storage.WebClient("other", "other-secret", callbackURL),
	})
	provider, err := op.NewProvider(&op.Config{
		CryptoKey: sha256.Sum256([]byte("test")), CryptoKeyId: "key1", CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true,
	}, z.storage, op.StaticIssuer(z.URL), op.WithAllowInsecure())
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/", provider)
	callback := op.AuthCallbackURL(provider)
	withIssuer := op.NewIssuerInterceptor(provider.IssuerFromRequest)
	mux.HandleFunc("/login/username", withIssuer.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.FormValue("authRequestID")
		host, _, _ := strings.Cut(strings.TrimPrefix(z.URL, "http://"), ":")
		if err := z.storage.CheckUsernamePassword("test-user@"+host, "verysecure", id); err != nil {
			t.Error(err)
		}
		http.Redirect(w, r, callback(r.Context(), id), http.StatusFound)
	}))
	return z
}

// noFollow returns a client like those of egress: it follows no redirect.
func noFollow() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// follow goes where a browser would, until it is sent back to us.
func follow(ctx context.Context, client *http.Client, target string) (url.Values, error) {
	for range 10 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
		if err != nil {
			return nil, err
		}
		answer, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		answer.Body.Close()
		next, err := answer.Location()
		if err != nil {
			return nil, errors.New("the page leads nowhere: " + answer.Status)
		}
		if strings.HasPrefix(next.String(), callbackURL) {
			return next.Query(), nil
		}
		target = next.String()
	}
	return nil, errors.New("too many pages")
}

// config returns the file for this provider, as it is written.
func (z *zitadel) config(lines ...string) oauth2.Config {
	z.Helper()
	text := "id: zitadel\nname: Zitadel\ndomain: zitadel.example\nissuer: " + z.URL + "\nscopes: [openid, profile, email, offline_access]\n" +
		"api: {base_url: " + z.URL + "/userinfo}\n" + strings.Join(lines, "\n")
	config, err := oauth2.Parse("zitadel.yaml", []byte(text))
	if err != nil {
		z.Fatal(err)
	}
	return config
}

// connector returns a connector with the client's secret.
func (z *zitadel) connector(id, secret string, lines ...string) connector.Connector {
	z.Helper()
	c, err := oauth2.New(z.config(lines...), oauth2.Client{ID: id, Secret: latchkey.NewSecret([]byte(secret))}, oauth2.Options{Development: true})
	if err != nil {
		z.Fatal(err)
	}
	return c
}

// The example of the documents links, renews, is checked and ends at a real
// server; only its https is left out.
func TestTheExampleOfTheDocumentsWorks(t *testing.T) {
	z := newZitadel(t)
	text, err := os.ReadFile("../../../docs/examples/openid.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config, err := oauth2.Parse("openid.yaml", bytes.ReplaceAll(text, []byte("https://{{host}}"), []byte(z.URL)))
	if err != nil {
		t.Fatal(err)
	}
	client := oauth2.Client{
		ID: "latchkey", Secret: latchkey.NewSecret([]byte("shh + & secret/=%")),
		Variables: map[string]string{"host": strings.TrimPrefix(z.URL, "http://")},
	}
	connectortest.Run(t, connectortest.Case{
		New: func(func() time.Time) connector.Connector {
			c, err := oauth2.New(config, client, oauth2.Options{Development: true})
			if err != nil {
				t.Fatal(err)
			}
			return c
		},
		Start: time.Now(), HTTP: z.client, CallbackURL: callbackURL,
		Walk: []connectortest.Submission{{Callback: func(ctx context.Context, redirect string) (url.Values, error) {
			return follow(ctx, z.client, redirect)
		}}},
	})
}

func TestZitadel(t *testing.T) {
	z := newZitadel(t)
	for _, how := range []string{"client_secret_basic", "client_secret_post"} {
		t.Run(how, func(t *testing.T) {
			connectortest.Run(t, connectortest.Case{
				New: func(func() time.Time) connector.Connector {
					return z.connector("latchkey", "shh + & secret/=%", "client_authentication: "+how)
				},
				Start: time.Now(), HTTP: z.client, CallbackURL: callbackURL,
				Walk: []connectortest.Submission{{Callback: func(ctx context.Context, redirect string) (url.Values, error) {
					return follow(ctx, z.client, redirect)
				}}},
			})
		})
	}
}
