package e2etest

import (
	"context"
	"crypto/sha256"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"

	"latchkey"
	"latchkey/internal/connector/oauth2"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/glewlwydtest"
	"latchkey/internal/latchtest/oidcpeertest"
)

// The people at every OpenID provider.
const (
	adaThere = "ada"
	eveThere = "eve"
)

// openid is an OpenID provider that strangers wrote, with what a whole life at
// it takes.
type openid struct {
	issuer   string
	lines    string // of its file, beside the usual
	client   oauth2.Client
	profile  string // path below the issuer that tells whose token it is
	lifetime time.Duration
	// signIn goes where a browser would and returns where it is sent back to.
	signIn func(ctx context.Context, target, person string) (*url.URL, error)
}

// openids start each provider with a client whose redirect URI is the callback.
var openids = map[string]func(t *testing.T, callback string) openid{
	"zitadel": zitadel, "oidc-provider": oidcProvider, "glewlwyd": glewlwydOpenID,
}

// foreseen returns how to start a server whose callback for the provider is
// known before it starts, as an operator's is.
func foreseen(t *testing.T, provider string) (latchtest.Options, string) {
	t.Helper()
	options := latchtest.Options{Data: filepath.Join(t.TempDir(), "data"), Idle: true}
	first := latchtest.Start(t, options)
	organisation := first.Trial.OrganisationID
	first.Stop()
	var listening net.ListenConfig
	listener, err := listening.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	options.Idle, options.Listener = false, listener
	return options, "http://" + listener.Addr().String() + "/callback/" + provider + "/" + organisation
}

func TestALifeAtAnOpenIDProvider(t *testing.T) {
	for name, start := range openids {
		t.Run(name, func(t *testing.T) {
			options, callback := foreseen(t, name)
			peer := start(t, callback)
			config, err := oauth2.Parse(name+".yaml", []byte(strings.ReplaceAll("id: "+name+"\nname: Stranger\ndomain: stranger.example\n"+
				"environments: [sandbox]\nissuer: ISSUER\napi: {base_url: ISSUER}\n"+peer.lines, "ISSUER", peer.issuer)))
			if err != nil {
				t.Fatal(err)
			}
			connector, err := oauth2.New(config, peer.client, oauth2.Options{Development: true})
			if err != nil {
				t.Fatal(err)
			}
			livesThere(t, startNetwork(t, options, &clocked{}, connector), peer)
		})
	}
}

// livesThere links, calls, links again, refuses another account, renews twice and
// disconnects. The clock is moved last: the provider's does not move with it.
func livesThere(t *testing.T, n *network, peer openid) {
	arrive := func(connection, person string) *latchtest.Visit {
		visit := n.open("ada", connection)
		back, err := peer.signIn(t.Context(), visit.Leave().String(), person)
		if err != nil {
			t.Fatal(err)
		}
		return visit.Arrive(back.String())
	}
	who := func(connection string) string {
		answer := n.proxied(http.StatusOK, "GET", peer.profile, connection, nil)
		return latchtest.Decode[struct {
			Sub string `json:"sub"`
		}](n.Server, answer).Sub
	}
	connection := n.landed(arrive("", adaThere), "success").Get("connection_id")
	ada := who(connection)
	n.only(connection, ada)
	if again := n.landed(arrive(connection, adaThere), "success").Get("connection_id"); again != connection {
		t.Errorf("linked again it became %s", again)
	}
	n.mismatch(arrive(connection, eveThere))
	n.only(connection, ada)
	if got := who(connection); got != ada {
		t.Errorf("after another's visit it is %q", got)
	}
	for range 2 {
		n.Clock.Move(peer.lifetime)
		if got := who(connection); got != ada {
			t.Errorf("after the renewal it is %q", got)
		}
	}
	n.disconnect(connection)
	n.proxied(http.StatusUnauthorized, "GET", peer.profile, connection, nil)
	if len(n.Connections()) != 0 {
		t.Errorf("connections %+v", n.Connections())
	}
}

// zitadel starts zitadel's own OpenID provider in this process.
func zitadel(t *testing.T, callback string) openid {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	kept := storage.NewStorageWithClients(storage.NewUserStore(server.URL), map[string]*storage.Client{
		"latchkey": storage.WebClient("latchkey", "a secret", callback),
	})
	provider, err := op.NewProvider(&op.Config{
		CryptoKey: sha256.Sum256([]byte("test")), CryptoKeyId: "key1", CodeMethodS256: true, AuthMethodPost: true, GrantTypeRefreshToken: true,
	}, kept, op.StaticIssuer(server.URL), op.WithAllowInsecure())
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/", provider)
	withIssuer := op.NewIssuerInterceptor(provider.IssuerFromRequest)
	mux.HandleFunc("/login/username", withIssuer.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := map[string]string{adaThere: "test-user@127.0.0.1", eveThere: "test-user2"}[r.Header.Get("X-Person")]
		id := r.FormValue("authRequestID")
		if err := kept.CheckUsernamePassword(name, "verysecure", id); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		http.Redirect(w, r, op.AuthCallbackURL(provider)(r.Context(), id), http.StatusFound)
	}))
	follow := &oidcpeertest.Peer{URL: server.URL}
	return openid{
		issuer: server.URL, lines: "scopes: [openid, profile, email, offline_access]\n", profile: "userinfo", lifetime: 5 * time.Minute,
		client: oauth2.Client{ID: "latchkey", Secret: latchkey.NewSecret([]byte("a secret"))}, signIn: follow.SignIn,
	}
}

// oidcProvider starts npm's oidc-provider.
func oidcProvider(t *testing.T, callback string) openid {
	peer := oidcpeertest.Start(t, oidcpeertest.Client{
		ID: "latchkey", Secret: "a secret: of a length of forty characters", Authentication: "client_secret_basic",
		RedirectURIs: []string{callback},
	})
	return openid{
		issuer: peer.URL, lines: "scopes: [openid, profile, offline_access]\nauthorization_parameters: {prompt: consent}\n",
		profile: "me", lifetime: time.Hour, signIn: peer.SignIn,
		client: oauth2.Client{ID: "latchkey", Secret: latchkey.NewSecret([]byte("a secret: of a length of forty characters"))},
	}
}

// glewlwydOpenID starts Debian's Glewlwyd as an OpenID provider that wants a
// second factor.
func glewlwydOpenID(t *testing.T, callback string) openid {
	server := glewlwydtest.Start(t)
	people := map[string]glewlwydtest.User{
		adaThere: {Username: "ada", Password: "adas-password-42", Name: "Ada", Email: "ada@example.com"},
		eveThere: {Username: "eve", Password: "eves-password-42", Name: "Eve", Email: "eve@example.com"},
	}
	for _, person := range people {
		server.CreateUser(t, person)
	}
	peer := server.EnableOIDC(t, people[adaThere], callback)
	peer.RequireCode(t)
	return openid{
		issuer: peer.Issuer, lines: "scopes: [openid]\n", profile: "userinfo", lifetime: time.Hour,
		client: oauth2.Client{ID: peer.ID, Secret: latchkey.NewSecret([]byte(peer.Secret))},
		signIn: func(ctx context.Context, target, person string) (*url.URL, error) {
			query, err := peer.As(t, people[person]).Authorize(ctx, target)
			if err != nil {
				return nil, err
			}
			return url.Parse(callback + "?" + query.Encode())
		},
	}
}
