package latchkey_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey/internal/latchtest"
	latchkey "latchkey/sdk/go"
)

func TestTheSameInitIsTheSameSession(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	request := latchkey.InitRequest{ClientReferenceID: "user_1"}
	first := must(h.client.Link.Init(ctx, request, latchkey.WithIdempotencyKey("order-7")))(t)
	again := must(h.client.Link.Init(ctx, request, latchkey.WithIdempotencyKey("order-7")))(t)
	if first.Replayed || !again.Replayed || again.SessionID != first.SessionID || again.URL != first.URL {
		t.Errorf("first %s, again %s, replayed %t", first.SessionID, again.SessionID, again.Replayed)
	}
	if other := must(h.client.Link.Init(ctx, request))(t); other.SessionID == first.SessionID {
		t.Error("without a key of the caller's it was the same session")
	}
	request.ClientReferenceID = "user_2"
	if _, err := h.client.Link.Init(ctx, request, latchkey.WithIdempotencyKey("order-7")); !latchkey.IsConflict(err) {
		t.Errorf("the key with another request: %v", err)
	}
}

func TestSessionsAreListed(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	for i := range 26 {
		must(h.client.Link.Init(ctx, latchkey.InitRequest{ClientReferenceID: fmt.Sprintf("user_%d", i)}))(t)
	}
	seen := map[string]bool{}
	for session, err := range h.client.Link.AllSessions(ctx, latchkey.SessionFilter{Status: latchkey.StatusInitialized, Limit: 7}) {
		if err != nil {
			t.Fatal(err)
		}
		if session.Mode != latchkey.ModeHosted || session.CreatedAt.IsZero() || session.ConnectionID != nil {
			t.Errorf("session %+v", session)
		}
		seen[*session.ClientReferenceID] = true
	}
	if len(seen) != 26 {
		t.Errorf("%d sessions, want 26", len(seen))
	}
	none := must(h.client.Link.Sessions(ctx, latchkey.SessionFilter{To: time.Now().Add(-time.Hour)}))(t)
	if len(none.List) != 0 || none.HasMore {
		t.Errorf("%d sessions from before there were any", len(none.List))
	}
}

func TestSettingsAreChanged(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	before := must(h.client.Account.Settings(ctx))(t)
	changed := must(h.client.Account.UpdateSettings(ctx, latchkey.SettingsPatch{
		Name: new("Acme"), Defaults: &latchkey.DefaultsPatch{ExpiresIn: new(600), Locale: latchkey.Set("de")},
	}))(t)
	want := *before
	want.Name, want.Defaults = new("Acme"), latchkey.SettingsDefaults{ExpiresIn: 600, Locale: new("de")}
	if diff := cmp.Diff(want, *changed); diff != "" {
		t.Error(diff)
	}
	changed = must(h.client.Account.UpdateSettings(ctx, latchkey.SettingsPatch{
		Defaults: &latchkey.DefaultsPatch{Locale: latchkey.Null[string]()},
	}))(t)
	want.Defaults.Locale = nil
	if diff := cmp.Diff(want, *changed); diff != "" {
		t.Error(diff)
	}
}

func TestAConnectionsSettingsAreChanged(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	id := h.link("user_1", sandboxUser)
	settings := must(h.client.Connections.Settings(ctx, id))(t)
	want := latchkey.ConnectionSettings{RateLimit: latchkey.RateLimit{PerMinute: 60, Burst: 90}, Metadata: map[string]string{"shop": "7"}}
	if diff := cmp.Diff(want, *settings); diff != "" {
		t.Error(diff)
	}
	settings = must(h.client.Connections.UpdateSettings(ctx, id, latchkey.ConnectionSettingsPatch{
		RateLimit: &latchkey.RateLimitPatch{Burst: new(5)}, Metadata: map[string]string{},
	}))(t)
	want = latchkey.ConnectionSettings{RateLimit: latchkey.RateLimit{PerMinute: 60, Burst: 5}, Metadata: map[string]string{}}
	if diff := cmp.Diff(want, *settings); diff != "" {
		t.Error(diff)
	}
}

func TestAnAccountIsImported(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	credentials := map[string]string{"username": sandboxUser, "password": sandboxPassword}
	connection := must(h.client.Connections.Import(ctx, latchkey.ImportRequest{
		Provider: "sandbox", Credentials: credentials, ClientReferenceID: "user_1",
	}))(t)
	if !connection.Imported || connection.Provider != "sandbox" || *connection.ClientReferenceID != "user_1" {
		t.Errorf("connection %+v", connection)
	}
	again := must(h.client.Connections.Reimport(ctx, connection.ID, latchkey.ReimportRequest{Credentials: credentials}))(t)
	if again.ID != connection.ID {
		t.Errorf("the second import is %s, want %s", again.ID, connection.ID)
	}
	credentials["username"] = "other@creator.sandbox.com"
	if _, err := h.client.Connections.Reimport(ctx, connection.ID, latchkey.ReimportRequest{Credentials: credentials}); !latchkey.IsConflict(err) {
		t.Errorf("another person's credentials: %v", err)
	}
}

func TestTheLifeOfAClientApp(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	made := must(h.client.ClientApps.Create(ctx, latchkey.NewClientApp{
		Name: "Shop", Domain: "shop.example", Type: latchkey.AppRedirect, RedirectURIs: []string{"https://shop.example/back"},
		LogoURL: "https://shop.example/logo.svg", Permissions: []latchkey.Permission{{Name: "profile:read", Purpose: "to greet you"}},
	}))(t)
	if made.Environment != latchkey.Sandbox || len(made.Providers) == 0 || *made.LogoURL == "" || made.AccentColor != nil {
		t.Errorf("made %+v", made)
	}
	changed := must(h.client.ClientApps.Update(ctx, made.ID, latchkey.ClientAppPatch{
		Name: new("Store"), LogoURL: latchkey.Null[string](), AccentColor: latchkey.Set("#aa0000"), Permissions: []latchkey.Permission{},
	}))(t)
	want := *made
	want.Name, want.LogoURL, want.AccentColor, want.Permissions = "Store", nil, new("#aa0000"), []latchkey.Permission{}
	want.UpdatedAt = changed.UpdatedAt
	if diff := cmp.Diff(want, *changed); diff != "" {
		t.Error(diff)
	}
	if got := must(h.client.ClientApps.Get(ctx, made.ID))(t); !cmp.Equal(got, changed) {
		t.Error(cmp.Diff(changed, got))
	}
	if err := h.client.ClientApps.Delete(ctx, made.ID); err != nil {
		t.Error(err)
	}
	if _, err := h.client.ClientApps.Get(ctx, made.ID); !latchkey.IsNotFound(err) {
		t.Errorf("the deleted app: %v", err)
	}
	count := 0
	for app, err := range h.client.ClientApps.All(ctx) {
		if err != nil || app.ID == made.ID {
			t.Errorf("app %s, %v", app.ID, err)
		}
		count++
	}
	if count != len(h.Trial.ClientApps) {
		t.Errorf("%d apps, want the trial's", count)
	}
}

func TestTheLifeOfAKey(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	end := time.Now().Add(time.Hour).Truncate(time.Second).UTC()
	made := must(h.client.APIKeys.Create(ctx, latchkey.NewAPIKey{Name: "reader", Scopes: []latchkey.Scope{latchkey.ScopeAccount}, ExpiresAt: &end}))(t)
	if !strings.HasPrefix(made.Key, made.Prefix) || made.Prefix == "" || !made.ExpiresAt.Equal(end) || made.LastUsedAt != nil {
		t.Error("the new key is not described well")
	}
	reader := clientOf(t, h.URL, made.Key)
	if _, err := reader.Account.Whoami(ctx); err != nil {
		t.Error(err)
	}
	if _, err := reader.Link.Init(ctx, latchkey.InitRequest{}); !latchkey.IsForbidden(err) {
		t.Errorf("a call beyond the key's scopes: %v", err)
	}
	changed := must(h.client.APIKeys.Update(ctx, made.ID, latchkey.APIKeyPatch{Name: new("writer"), ExpiresAt: latchkey.Null[time.Time]()}))(t)
	if changed.Name != "writer" || changed.ExpiresAt != nil || !slices.Equal(changed.Scopes, made.Scopes) {
		t.Errorf("changed %+v", changed)
	}
	if err := h.client.APIKeys.Delete(ctx, made.ID); err != nil {
		t.Error(err)
	}
	latchtest.Eventually(t, "the key is dead", func() bool {
		_, err := reader.Account.Whoami(ctx)
		return latchkey.IsUnauthorized(err)
	})
	for key, err := range h.client.APIKeys.All(ctx) {
		if err != nil || key.ID == made.ID {
			t.Errorf("key %s, %v", key.ID, err)
		}
	}
}

func TestTheLifeOfAWebhookEndpoint(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	sink := latchtest.NewSink(t)
	made := must(h.client.WebhookEndpoints.Create(ctx, latchkey.NewWebhookEndpoint{URL: sink.URL + "/old"}))(t)
	if !slices.Equal(made.Events, []latchkey.EventType{latchkey.EventAll}) || made.Status != latchkey.EndpointEnabled {
		t.Errorf("made %+v", made.Events)
	}
	changed := must(h.client.WebhookEndpoints.Update(ctx, made.ID, latchkey.WebhookEndpointPatch{
		URL: &sink.URL, Events: []latchkey.EventType{latchkey.EventConnectionCreated}, Description: new("shop"), Status: new(latchkey.EndpointEnabled),
	}))(t)
	if changed.URL != sink.URL || changed.Description != "shop" {
		t.Error("the change did not do")
	}
	rotated := must(h.client.WebhookEndpoints.RotateSecret(ctx, made.ID))(t)
	if rotated.Secret == "" || rotated.Secret == made.Secret {
		t.Fatal("the secret is not another one")
	}
	id := h.link("user_1", sandboxUser)
	latchtest.Eventually(t, "the webhook arrives", func() bool { return len(sink.Hooks()) == 1 })
	hook := sink.Hooks()[0]
	for name, secrets := range map[string][]string{"old": {made.Secret}, "new": {rotated.Secret}, "both": {rotated.Secret, made.Secret}} {
		for _, prefix := range []string{"Webhook-", "Svix-", "Ofauth-"} {
			if _, err := latchkey.VerifyWebhook(hook.Body, only(hook.Header, prefix), secrets, 0); err != nil {
				t.Errorf("%s secret by %s: %v", name, prefix, err)
			}
		}
	}
	var delivery latchkey.Delivery
	latchtest.Eventually(t, "the delivery is done", func() bool {
		page := must(h.client.WebhookEndpoints.Deliveries(ctx, made.ID, latchkey.DeliveryFilter{State: latchkey.DeliveryDelivered}))(t)
		if len(page.List) == 1 {
			delivery = page.List[0]
		}
		return len(page.List) == 1
	})
	if delivery.Subject != id || delivery.Type != latchkey.EventConnectionCreated || delivery.Attempts != 1 || *delivery.LastStatus != 204 {
		t.Errorf("delivery %+v", delivery)
	}
	replayed := must(h.client.WebhookEndpoints.Replay(ctx, made.ID, latchkey.ReplayRequest{EventIDs: []string{delivery.EventID}}))(t)
	if replayed.Queued != 1 {
		t.Errorf("%d events queued, want 1", replayed.Queued)
	}
	latchtest.Eventually(t, "it comes once more", func() bool { return len(sink.Hooks()) == 2 })
	if err := h.client.WebhookEndpoints.Delete(ctx, made.ID); err != nil {
		t.Error(err)
	}
}

func TestEventsAndAuditTellWhatHappened(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	var connections []string
	for i := range 26 {
		connections = append(connections, h.link(fmt.Sprintf("user_%d", i), fmt.Sprintf("user%d@creator.sandbox.com", i)))
	}
	var created []string
	for event, err := range h.client.Events.All(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		if event.Type == latchkey.EventConnectionCreated {
			created = append(created, event.Data.Connection.ID)
		}
	}
	if diff := cmp.Diff(connections, created); diff != "" {
		t.Error(diff)
	}
	page := must(h.client.Events.List(ctx, latchkey.EventFilter{Limit: 5}))(t)
	count := 0
	for _, err := range h.client.Events.All(ctx, page.Cursor) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != 2*26-5 {
		t.Errorf("%d events after the cursor, want %d", count, 2*26-5)
	}
	consents := 0
	for record, err := range h.client.Audit.All(ctx, latchkey.AuditFilter{Action: latchkey.AuditConsentGiven, Limit: 7}) {
		if err != nil || record.CreatedAt.IsZero() || len(record.Chain.Hash) != 64 || record.Subject == "" {
			t.Errorf("record %+v, %v", record, err)
		}
		consents++
	}
	if consents != 26 {
		t.Errorf("%d consents, want 26", consents)
	}
}

func TestALinkIsConfirmed(t *testing.T) {
	h := open(t)
	ctx := t.Context()
	app := must(h.client.ClientApps.Create(ctx, latchkey.NewClientApp{
		Name: "Shop", Domain: "shop.example", Type: latchkey.AppRedirect, RedirectURIs: []string{"http://127.0.0.1/back"},
		Providers: []string{"sandbox"}, RequireConfirmation: true,
	}))(t)
	begun := must(h.client.Link.Init(ctx, latchkey.InitRequest{ClientAppID: app.ID, ClientReferenceID: "user_1"}))(t)
	landed := h.Visit(begun.URL).Consent().Submit("continue", "username", sandboxUser, "password", sandboxPassword).Landed
	if landed == nil {
		t.Fatal("the person was not sent back")
	}
	waiting := must(h.client.Link.Session(ctx, begun.SessionID))(t)
	if waiting.Status != latchkey.StatusPending || waiting.Data.Step.Name != latchkey.StepConfirm {
		t.Errorf("the session is %+v", waiting)
	}
	code := landed.Query().Get("code")
	session := must(h.client.Link.Confirm(ctx, latchkey.ConfirmRequest{Code: code, ClientReferenceID: "user_1"}))(t)
	if session.Status != latchkey.StatusCompleted || session.Data.ID == "" {
		t.Errorf("the session is %+v", session)
	}
	if _, err := h.client.Link.Confirm(ctx, latchkey.ConfirmRequest{Code: code, ClientReferenceID: "user_1"}); !latchkey.IsBadRequest(err) {
		t.Errorf("the code once more: %v", err)
	}
}
