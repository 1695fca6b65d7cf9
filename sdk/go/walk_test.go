package latchkey_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/latchtest"
	latchkey "latchkey/sdk/go"
)

// The sandbox's account.
const (
	sandboxUser     = "you@creator.sandbox.com"
	sandboxPassword = "good-password"
)

// house is a running server and a client of it.
type house struct {
	*latchtest.Server
	client *latchkey.Client
}

func open(t *testing.T) house {
	t.Helper()
	s := latchtest.Start(t, latchtest.Options{})
	return house{s, clientOf(t, s.URL, s.Trial.APIKey)}
}

func clientOf(t *testing.T, url, key string) *latchkey.Client {
	t.Helper()
	client, err := latchkey.New(latchkey.Config{BaseURL: url, APIKey: key})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// must returns the answer of a call, and fails the test on an error.
func must[T any](answer T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

// errorOf returns the *Error in the error.
func errorOf(t *testing.T, err error) *latchkey.Error {
	t.Helper()
	failed, ok := errors.AsType[*latchkey.Error](err)
	if !ok {
		t.Fatalf("got %v, want an *Error", err)
	}
	return failed
}

// link links a sandbox account the whitelabel way, step by step, and returns
// the connection's id.
func (h house) link(reference, username string) string {
	h.Helper()
	ctx, links := h.Context(), h.client.Link
	begun := must(links.Init(ctx, latchkey.InitRequest{
		ClientAppID: h.Trial.ClientApps["whitelabel"], ClientReferenceID: reference, Provider: "sandbox",
		Metadata: map[string]string{"shop": "7"},
	}))(h.TB)
	session := must(links.Status(ctx, begun.ClientSecret))(h.TB)
	step := session.Data.Step
	session = must(links.Submit(ctx, begun.ClientSecret, latchkey.Submission{
		Version: step.Version, Action: latchkey.ActionApprove, Fields: map[string]string{"textVersion": step.TextVersion},
	}))(h.TB)
	session = must(links.Submit(ctx, begun.ClientSecret, latchkey.Submission{
		Version: session.Data.Step.Version, Fields: map[string]string{"username": username, "password": sandboxPassword},
	}))(h.TB)
	if session.Status != latchkey.StatusCompleted {
		h.Fatalf("the session is %+v, want it completed", session)
	}
	return session.Data.ID
}

func TestALinkFromBeginningToEnd(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	id := h.link("user_1", sandboxUser)
	connection := must(h.client.Connections.Get(ctx, id))(t)
	if connection.Status != latchkey.ConnectionActive || *connection.ClientReferenceID != "user_1" ||
		connection.Metadata["shop"] != "7" || connection.Provider != "sandbox" || connection.CreatedAt.IsZero() {
		t.Errorf("connection %+v", connection)
	}
	page := must(h.client.Connections.List(ctx, latchkey.ConnectionFilter{ClientReferenceID: "user_1", Imported: new(false)}))(t)
	if diff := cmp.Diff([]latchkey.Connection{*connection}, page.List); diff != "" {
		t.Error(diff)
	}
	self := must(h.client.Access.Self(ctx, id))(t)
	if self.ID != connection.UserData.ID || self.Username != connection.UserData.Username || len(self.Raw) == 0 {
		t.Errorf("self %+v, want who %+v is", self, connection.UserData)
	}
	response := must(h.client.Access.Do(ctx, id, latchkey.ProxyRequest{Path: "posts", Query: url.Values{"limit": {"2"}}}))(t)
	defer func() { _ = response.Body.Close() }()
	var posts latchkey.Page[struct {
		ID string `json:"id"`
	}]
	if err := json.NewDecoder(response.Body).Decode(&posts); err != nil || len(posts.List) != 2 {
		t.Errorf("posts %+v, %v", posts, err)
	}
	if err := h.client.Connections.Invalidate(ctx, id); err != nil {
		t.Error(err)
	}
	if _, err := h.client.Access.Self(ctx, id); !latchkey.IsSessionExpired(err) {
		t.Errorf("self after the end: %v, want it expired", err)
	}
	if err := h.client.Connections.Disconnect(ctx, id); err != nil {
		t.Error(err)
	}
	if _, err := h.client.Connections.Get(ctx, id); !latchkey.IsNotFound(err) {
		t.Errorf("the connection after it was deleted: %v", err)
	}
}

func TestAPostThroughTheProxyArrivesWhole(t *testing.T) {
	h := open(t)
	id := h.link("user_1", sandboxUser)
	response := must(h.client.Access.Do(t.Context(), id, latchkey.ProxyRequest{
		Method: http.MethodPost, Path: "messages", Body: strings.NewReader(`{"text":"Hello"}`),
		Header: http.Header{"Content-Type": {"application/json"}},
	}))(t)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusCreated || !strings.Contains(string(body), "Hello") {
		t.Errorf("got %d %s, %v", response.StatusCode, body, err)
	}
	missing := must(h.client.Access.Do(t.Context(), id, latchkey.ProxyRequest{Path: "status/404"}))(t)
	if err := latchkey.ErrorOf(missing); err == nil || latchkey.IsNotFound(err) {
		t.Errorf("the provider's own 404 is %v", err)
	}
	refused := must(h.client.Access.Do(t.Context(), "conn_unknown", latchkey.ProxyRequest{Path: "me"}))(t)
	if err := latchkey.ErrorOf(refused); err == nil || !strings.Contains(err.Error(), string(latchkey.CodeSessionNotProvided)) {
		t.Errorf("an unknown connection is %v", err)
	}
}

func TestAHostedSessionIsFollowedAndEnded(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	begun := must(h.client.Link.Init(ctx, latchkey.InitRequest{ClientReferenceID: "user_1", ExpiresIn: 600}))(t)
	if begun.Mode != latchkey.ModeHosted || begun.ClientSecret != "" || !strings.HasPrefix(begun.URL, h.URL) || begun.Replayed {
		t.Errorf("session %s in mode %s", begun.SessionID, begun.Mode)
	}
	session := must(h.client.Link.Session(ctx, begun.SessionID))(t)
	if session.Status != latchkey.StatusInitialized || session.Data.Step == nil {
		t.Errorf("session %+v", session)
	}
	secret := begun.URL[strings.LastIndex(begun.URL, "/")+1:]
	if _, err := h.client.Link.Submit(ctx, secret, latchkey.Submission{Version: 1}); !latchkey.IsForbidden(err) {
		t.Errorf("a submission to a hosted session: %v", err)
	}
	for range 2 {
		if err := h.client.Link.Delete(ctx, secret); err != nil {
			t.Error(err)
		}
	}
	if session := must(h.client.Link.Status(ctx, secret))(t); session.Status != latchkey.StatusNotFound || !session.Status.Final() {
		t.Errorf("the deleted session is %+v", session)
	}
}

func TestTheServersRefusalsAreErrors(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	_, err := h.client.Link.Init(ctx, latchkey.InitRequest{RedirectURL: "https://evil.example/"})
	if !latchkey.IsBadRequest(err) || errorOf(t, err).Field != "redirectUrl" {
		t.Errorf("a foreign redirect URL: %v", err)
	}
	if _, err := clientOf(t, h.URL, testKey).Account.Whoami(ctx); !latchkey.IsUnauthorized(err) {
		t.Errorf("an unknown key: %v", err)
	}
	if _, err := h.client.Connections.Get(ctx, "conn_unknown"); !latchkey.IsNotFound(err) {
		t.Errorf("an unknown connection: %v", err)
	}
	who := must(h.client.Account.Whoami(ctx))(t)
	if !strings.HasPrefix(who.ID, "org_") || len(who.Permissions) != 4 {
		t.Errorf("whoami %+v", who)
	}
}

func TestAStaleSubmissionShowsWhereTheSessionStands(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	begun := must(h.client.Link.Init(ctx, latchkey.InitRequest{ClientAppID: h.Trial.ClientApps["whitelabel"], Provider: "sandbox"}))(t)
	_, err := h.client.Link.Submit(ctx, begun.ClientSecret, latchkey.Submission{Version: 99, Action: latchkey.ActionCancel})
	if !latchkey.IsConflict(err) {
		t.Fatalf("got %v, want a conflict", err)
	}
	session := must(errorOf(t, err).CurrentSession())(t)
	if session.Data.Step.Name != latchkey.StepAuthorization || session.Data.Step.Version != 1 {
		t.Errorf("the current session is %+v", session.Data.Step)
	}
}

func TestManyConnectionsAreReadPageByPage(t *testing.T) {
	h := open(t)
	const many = 26
	want := map[string]bool{}
	for i := range many {
		want[h.link(fmt.Sprintf("user_%d", i), fmt.Sprintf("user%d@creator.sandbox.com", i))] = true
	}
	for _, limit := range []int{0, 1, 7, 13} {
		got := map[string]bool{}
		for connection, err := range h.client.Connections.All(t.Context(), latchkey.ConnectionFilter{Limit: limit}) {
			if err != nil {
				t.Fatal(err)
			}
			if got[connection.ID] {
				t.Errorf("%s came twice", connection.ID)
			}
			got[connection.ID] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in pages of %d: %s", limit, diff)
		}
	}
	first := must(h.client.Connections.List(t.Context(), latchkey.ConnectionFilter{}))(t)
	if len(first.List) != 10 || !first.HasMore || *first.NextOffset != 10 {
		t.Errorf("the first page has %d, more %t", len(first.List), first.HasMore)
	}
}

func TestTheServersWebhooksAreVerified(t *testing.T) {
	h := open(t)
	sink := latchtest.NewSink(t)
	endpoint := must(h.client.WebhookEndpoints.Create(t.Context(), latchkey.NewWebhookEndpoint{
		URL: sink.URL, Events: []latchkey.EventType{latchkey.EventConnectionCreated, latchkey.EventSessionCompleted}, Description: "shop",
	}))(t)
	id := h.link("user_1", sandboxUser)
	latchtest.Eventually(t, "both webhooks arrive", func() bool { return len(sink.Hooks()) >= 2 })
	seen := map[latchkey.EventType]*latchkey.Event{}
	for _, hook := range sink.Hooks() {
		for _, prefix := range []string{"Webhook-", "Svix-", "Ofauth-"} {
			event := must(latchkey.VerifyWebhook(hook.Body, only(hook.Header, prefix), []string{oldSecret, endpoint.Secret}, 0))(t)
			seen[event.Type] = event
		}
		if _, err := latchkey.VerifyWebhook(append(hook.Body, ' '), hook.Header, []string{endpoint.Secret}, 0); err == nil {
			t.Error("an altered webhook was taken")
		}
	}
	created, completed := seen[latchkey.EventConnectionCreated], seen[latchkey.EventSessionCompleted]
	if created == nil || created.Data.Connection.ID != id || created.Data.Connection.UserData == nil || *created.Data.ClientReferenceID != "user_1" {
		t.Errorf("created %+v", created)
	}
	if completed == nil || completed.Data.Session.ConnectionID != id || completed.Data.Session.Status != latchkey.StatusCompleted {
		t.Errorf("completed %+v", completed)
	}
	listed := must(h.client.WebhookEndpoints.List(t.Context(), latchkey.ListOptions{}))(t)
	if diff := cmp.Diff([]latchkey.WebhookEndpoint{endpoint.WebhookEndpoint}, listed.List); diff != "" {
		t.Error(diff)
	}
}
