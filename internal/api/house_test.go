package api_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/auth"
	"latchkey/internal/latchtest"
)

// canary is what must never come back out of an answer or a log.
const canary = "canary-7f3a"

// tenant is an organisation with keys of every kind, and client apps that use
// the programmable provider.
type tenant struct {
	id      string
	key     string // sandbox, every scope
	live    string // live, every scope
	revoked string
	expired string
	without map[latchkey.Scope]string // every scope but one
	keyIDs  map[string]string         // by key
	apps    map[latchkey.AppType]string
}

// newTenant writes a tenant straight into the store, as an operator would have.
func newTenant(s *latchtest.Server, change func(*latchkey.ClientApp)) tenant {
	s.Helper()
	now := s.Clock.Now()
	made := tenant{
		id: latchkey.NewID(rand.Reader, latchkey.PrefixOrganisation), without: map[latchkey.Scope]string{},
		keyIDs: map[string]string{}, apps: map[latchkey.AppType]string{},
	}
	var keys []latchkey.APIKey
	add := func(environment latchkey.Environment, scopes []latchkey.Scope, change func(*latchkey.APIKey)) string {
		key, text := auth.NewKey(rand.Reader, made.id, environment, "test", scopes, now)
		if change != nil {
			change(&key)
		}
		keys = append(keys, key)
		made.keyIDs[text] = key.ID
		return text
	}
	all := latchkey.AllScopes()
	made.key, made.live = add(latchkey.Sandbox, all, nil), add(latchkey.Live, all, nil)
	made.revoked = add(latchkey.Sandbox, all, func(key *latchkey.APIKey) { key.RevokedAt = now })
	made.expired = add(latchkey.Sandbox, all, func(key *latchkey.APIKey) { key.ExpiresAt = now.Add(-time.Second) })
	for i, scope := range all {
		rest := append(append([]latchkey.Scope{}, all[:i]...), all[i+1:]...)
		made.without[scope] = add(latchkey.Sandbox, rest, nil)
	}
	var apps []latchkey.ClientApp
	for i, appType := range []latchkey.AppType{latchkey.AppRedirect, latchkey.AppEmbed, latchkey.AppWhitelabel} {
		app := latchkey.ClientApp{
			ID: latchkey.NewID(rand.Reader, latchkey.PrefixClientApp), OrganisationID: made.id,
			Environment: latchkey.Sandbox, Type: appType, Name: "Shop", Domain: "shop.example",
			RedirectURIs: []string{"https://shop.example/back"}, Providers: []string{latchtest.ProviderID},
			Permissions: []latchkey.Permission{
				{Name: "profile:read", Purpose: "to greet you"}, {Name: "posts:read", Purpose: "to list them"},
			},
			WhitelabelEnabled: appType == latchkey.AppWhitelabel,
			CreatedAt:         now.Add(time.Duration(i) * time.Second), UpdatedAt: now,
		}
		if change != nil {
			change(&app)
		}
		apps = append(apps, app)
		made.apps[appType] = app.ID
	}
	if err := s.App.Store().CreateOrganisation(s.Context(),
		latchkey.Organisation{ID: made.id, Name: "Tenant", CreatedAt: now}, keys, apps); err != nil {
		s.Fatal(err)
	}
	return made
}

// house is a running app with two tenants. Calls are made with the first one's
// key unless a header says otherwise.
type house struct {
	*latchtest.Server
	mine, other tenant
}

func newHouse(t *testing.T, options latchtest.Options) house {
	s := latchtest.Start(t, options)
	h := house{Server: s, mine: newTenant(s, nil), other: newTenant(s, nil)}
	s.Trial.APIKey = h.mine.key
	return h
}

// errorAnswer is the superset shape of an error.
type errorAnswer struct {
	Error          string `json:"error"`
	Message        string `json:"message"`
	Type           string `json:"type"`
	Code           string `json:"code"`
	RequestID      string `json:"requestId"`
	ActionRequired string `json:"actionRequired"`
	Details        struct {
		Field string `json:"field"`
	} `json:"details"`
	Current map[string]any `json:"current"`
}

// refused reads an error answer and checks what every one must have.
func (h house) refused(answer latchtest.Answer, status int, code latchkey.Code) errorAnswer {
	h.Helper()
	var body errorAnswer
	if err := json.Unmarshal(answer.Body, &body, json.RejectUnknownMembers(true)); err != nil {
		h.Errorf("answer %d %q, want %d %s: %v", answer.Status, answer.Body, status, code, err)
		return body
	}
	if answer.Status != status || body.Type != string(code) || body.Code != string(code) {
		h.Errorf("answer %d, want %d %s: %s", answer.Status, status, code, answer.Body)
	}
	if body.Error == "" || body.Error != body.Message {
		h.Errorf("error %q and message %q, want the same text", body.Error, body.Message)
	}
	if !latchkey.ValidID(body.RequestID, "req_") || body.RequestID != answer.Header.Get("x-request-id") {
		h.Errorf("request id %q in the body, %q in the header", body.RequestID, answer.Header.Get("x-request-id"))
	}
	if strings.Contains(string(answer.Body), canary) {
		h.Errorf("the answer repeats what was sent: %s", answer.Body)
	}
	return body
}

// wantJSON compares an answer with the JSON text that it must be.
func wantJSON(t testing.TB, answer latchtest.Answer, status int, format string, args ...any) {
	t.Helper()
	var got, want any
	if err := json.Unmarshal(answer.Body, &got); err != nil {
		t.Fatalf("answer %d %q: %v", answer.Status, answer.Body, err)
	}
	if err := json.Unmarshal(fmt.Appendf(nil, format, args...), &want); err != nil {
		t.Fatalf("the wanted JSON: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" || answer.Status != status {
		t.Errorf("answer %d, want %d (-want +got):\n%s", answer.Status, status, diff)
	}
}

// session is what an answer tells of a session.
type session struct {
	Status string `json:"status"`
	Data   struct {
		ID        string `json:"id"`
		ErrorCode string `json:"errorCode"`
		Step      struct {
			Name         string `json:"name"`
			Version      int64  `json:"version"`
			Refused      string `json:"refused"`
			AttemptsLeft int    `json:"attemptsLeft"`
			RetryAfter   int    `json:"retryAfter"`
		} `json:"step"`
	} `json:"data"`
}

// driven is a whitelabel session that the test drives.
type driven struct {
	house
	latchtest.Link
}

// whitelabel starts a whitelabel session with more of a body, in pairs.
func (h house) whitelabel(more ...any) driven {
	h.Helper()
	body := map[string]any{"clientAppId": h.mine.apps[latchkey.AppWhitelabel]}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	return driven{h, h.Init(body)}
}

// look asks how the session stands.
func (d driven) look() session {
	d.Helper()
	return latchtest.Decode[session](d.Server, d.Want(http.StatusOK, "GET", "/v2/link/"+d.ClientSecret, nil))
}

// submit sends a submission for the version where the session stands, unless
// the body has a version.
func (d driven) submit(body map[string]any) latchtest.Answer {
	d.Helper()
	if _, ok := body["version"]; !ok {
		body["version"] = d.look().Data.Step.Version
	}
	return d.Call("POST", "/v2/link/"+d.ClientSecret+"/submit", body)
}

// take submits fields, in pairs, that must be taken.
func (d driven) take(fields ...string) latchtest.Answer {
	d.Helper()
	values := map[string]string{}
	for i := 0; i+1 < len(fields); i += 2 {
		values[fields[i]] = fields[i+1]
	}
	answer := d.submit(map[string]any{"fields": values})
	if answer.Status != http.StatusAccepted {
		d.Fatalf("answer %d: %s", answer.Status, answer.Body)
	}
	return answer
}

// consent agrees to the text that the session shows.
func (d driven) consent() latchtest.Answer {
	d.Helper()
	type step struct {
		Data struct {
			Step struct {
				TextVersion string `json:"textVersion"`
			} `json:"step"`
		} `json:"data"`
	}
	shown := latchtest.Decode[step](d.Server, d.Want(http.StatusOK, "GET", "/v2/link/"+d.ClientSecret, nil))
	return d.take("textVersion", shown.Data.Step.TextVersion)
}

// login consents and logs in, which links unless the username says otherwise.
func (d driven) login(username string) latchtest.Answer {
	d.Helper()
	d.consent()
	return d.take("username", username, "password", latchtest.Password)
}

// linked links an account and returns its connection.
func (h house) linked(username string, more ...any) string {
	h.Helper()
	got := latchtest.Decode[session](h.Server, h.whitelabel(more...).login(username))
	if got.Status != "completed" {
		h.Fatalf("linking %s ended as %+v", username, got)
	}
	return got.Data.ID
}

// heldLink is a link that waits for its confirmation.
type heldLink struct {
	latchtest.Link
	code string
}

// confirming registers a client app whose links must be confirmed.
func (h house) confirming() string {
	h.Helper()
	app, err := h.App.Store().ClientApp(h.Context(), h.mine.id, latchkey.Sandbox, h.mine.apps[latchkey.AppRedirect])
	if err != nil {
		h.Fatal(err)
	}
	app.ID, app.RequireConfirmation = latchkey.NewID(rand.Reader, latchkey.PrefixClientApp), true
	app.CreatedAt = app.CreatedAt.Add(time.Hour) // not the oldest
	record := latchkey.AuditRecord{OrganisationID: h.mine.id, Action: latchkey.AuditAppCreated, Subject: app.ID, Detail: "{}"}
	if err := h.App.Store().CreateClientApp(h.Context(), app, record); err != nil {
		h.Fatal(err)
	}
	return app.ID
}

// held links the account named like the reference, up to its confirmation.
func (h house) held(reference string) heldLink {
	h.Helper()
	link := h.Init(map[string]any{"clientAppId": h.confirming(), "clientReferenceId": reference})
	visit := h.Visit(link.URL).Consent().Submit("continue", "username", reference, "password", latchtest.Password)
	if visit.Landed == nil || visit.Landed.Query().Get("code") == "" {
		h.Fatalf("no code came of the link: %v %s", visit.Landed, visit.Text())
	}
	return heldLink{link, visit.Landed.Query().Get("code")}
}
