package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
)

// clientApp is a client app as the API tells of it.
type clientApp struct {
	ID             string   `json:"id"`
	Name           string   `json:"name"`
	Domain         string   `json:"domain"`
	Environment    string   `json:"environment"`
	RedirectURIs   []string `json:"redirectUris"`
	AllowedOrigins []string `json:"allowedOrigins"`
	Providers      []string `json:"providers"`
	Suspended      bool     `json:"suspended"`
	CreatedAt      string   `json:"createdAt"`
	UpdatedAt      string   `json:"updatedAt"`
}

// pageOf is a page of a list.
type pageOf[T any] struct {
	List       []T  `json:"list"`
	HasMore    bool `json:"hasMore"`
	NextOffset int  `json:"nextOffset"`
}

const clientApps = "/v2/client-apps"

// register makes a client app with more of a body, in pairs.
func (h house) register(key string, more ...any) latchtest.Answer {
	h.Helper()
	body := map[string]any{"name": "Acme Shop", "domain": "shop.acme.example", "type": "redirect"}
	for i := 0; i+1 < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	return h.Call("POST", clientApps, body, "apikey", key)
}

// registered is register for what must be taken.
func (h house) registered(key string, more ...any) clientApp {
	h.Helper()
	answer := h.register(key, more...)
	if answer.Status != http.StatusCreated {
		h.Fatalf("register %v: %d %s", more, answer.Status, answer.Body)
	}
	return latchtest.Decode[clientApp](h.Server, answer)
}

func TestTheLifeOfAClientApp(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		h.Clock.Move(time.Minute)
		answer := h.register(h.mine.key, "type", "whitelabel", "logoUrl", "https://cdn.acme.example/l.svg", "accentColor", "#0A0b0c",
			"redirectUris", []string{"https://shop.acme.example/back"}, "allowedOrigins", []string{"http://localhost:3000"},
			"providers", []string{latchtest.ProviderID}, "permissions", []any{map[string]any{"name": "profile:read", "purpose": "to greet you"}},
			"whitelabelEnabled", true, "rawSessionEnabled", true, "environment", "sandbox")
		made := latchtest.Decode[clientApp](h.Server, answer)
		wantJSON(t, answer, http.StatusCreated, `{"id":%q,"name":"Acme Shop","domain":"shop.acme.example","logoUrl":"https://cdn.acme.example/l.svg",
			"accentColor":"#0A0b0c","type":"whitelabel","environment":"sandbox","redirectUris":["https://shop.acme.example/back"],
			"allowedOrigins":["http://localhost:3000"],"providers":[%q],"permissions":[{"name":"profile:read","purpose":"to greet you"}],
			"requireConfirmation":false,"whitelabelEnabled":true,"rawSessionEnabled":true,"suspended":false,"createdAt":%q,"updatedAt":%q}`,
			made.ID, latchtest.ProviderID, made.CreatedAt, made.CreatedAt)
		path := clientApps + "/" + made.ID
		if got := h.Call("GET", path, nil); string(got.Body) != string(answer.Body) {
			t.Errorf("read as %s", got.Body)
		}

		h.Clock.Move(time.Minute)
		changed := h.Call("PATCH", path, `{"name":"Acme Two","logoUrl":null,"accentColor":null,"redirectUris":[],
			"allowedOrigins":["https://acme.example"],"permissions":[],"whitelabelEnabled":false,"suspended":true,"type":"whitelabel","id":"app_x"}`)
		after := latchtest.Decode[clientApp](h.Server, changed)
		wantJSON(t, changed, http.StatusOK, `{"id":%q,"name":"Acme Two","domain":"shop.acme.example","logoUrl":null,"accentColor":null,
			"type":"whitelabel","environment":"sandbox","redirectUris":[],"allowedOrigins":["https://acme.example"],"providers":[%q],"permissions":[],
			"requireConfirmation":false,"whitelabelEnabled":false,"rawSessionEnabled":true,"suspended":true,"createdAt":%q,"updatedAt":%q}`,
			made.ID, latchtest.ProviderID, made.CreatedAt, after.UpdatedAt)
		if after.UpdatedAt == made.UpdatedAt {
			t.Error("the change has no time")
		}
		h.untouched("a change of nothing", func() {
			same := h.Call("PATCH", path, `{"name":"Acme Two","allowedOrigins":["https://acme.example"],"logoUrl":null}`)
			if string(same.Body) != string(changed.Body) {
				t.Errorf("a change of nothing answers %s", same.Body)
			}
		})

		first := latchtest.Decode[pageOf[clientApp]](h.Server, h.Want(http.StatusOK, "GET", clientApps+"?limit=1", nil))
		rest := latchtest.Decode[pageOf[clientApp]](h.Server, h.Want(http.StatusOK, "GET", clientApps+"?limit=10&offset=1", nil))
		if len(first.List) != 1 || first.List[0].ID != made.ID || !first.HasMore || first.NextOffset != 1 || len(rest.List) != 3 || rest.HasMore {
			t.Errorf("pages %+v and %+v", first, rest)
		}

		if gone := h.Want(http.StatusNoContent, "DELETE", path, nil); len(gone.Body) != 0 {
			t.Errorf("204 with the body %q", gone.Body)
		}
		for _, id := range []string{made.ID, "app_unknown", "x", "app_%00", "app_%ff", "app_a%2Fb", canary} {
			h.refused(h.Call("GET", clientApps+"/"+id, nil), http.StatusNotFound, latchkey.NotFound)
			h.refused(h.Call("PATCH", clientApps+"/"+id, `{"name":"Acme"}`), http.StatusNotFound, latchkey.NotFound)
			h.refused(h.Call("DELETE", clientApps+"/"+id, nil), http.StatusNotFound, latchkey.NotFound)
		}
		h.wantRecords(made.ID, "client_app.deleted {}", `client_app.updated {"fields":["name","logoUrl","accentColor","redirectUris",`+
			`"allowedOrigins","permissions","whitelabelEnabled","suspended"]}`, `client_app.created {"fields":["type","name","domain","logoUrl",`+
			`"accentColor","redirectUris","allowedOrigins","providers","permissions","whitelabelEnabled","rawSessionEnabled"]}`)
	})
}

func TestAClientAppNeedsANameADomainAndAType(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	app := h.registered(h.mine.key)
	if strings.Join(app.Providers, " ") != "sandbox "+latchtest.ProviderID || app.RedirectURIs == nil || app.AllowedOrigins == nil {
		t.Errorf("without more it is %+v", app)
	}
	if live := h.registered(h.mine.live); strings.Join(live.Providers, " ") != "atproto matrix "+latchtest.ProviderID || live.Environment != "live" {
		t.Errorf("in the live environment it is %+v", live)
	}
	for field, bodies := range map[string][]string{
		"name":   {`{"domain":"a.example","type":"embed"}`, `{"name":null,"domain":"a.example","type":"embed"}`, `{"name":7,"domain":"a.example","type":"embed"}`},
		"domain": {`{"name":"A","type":"embed"}`, `{"name":"A","type":"embed","domain":"localhost:3000"}`},
		"type": {
			`{"name":"A","domain":"a.example"}`, `{"name":"A","domain":"a.example","type":""}`, `{"name":"A","domain":"a.example","type":"hosted"}`,
		},
		"environment":         {`{"name":"A","domain":"a.example","type":"embed","environment":"live"}`},
		"requireConfirmation": {`{"name":"A","domain":"a.example","type":"whitelabel","requireConfirmation":true}`},
		"whitelabelEnabled":   {`{"name":"A","domain":"a.example","type":"embed","whitelabelEnabled":true}`},
		"redirectUris":        {`{"name":"A","domain":"a.example","type":"embed","redirectUris":null}`, `{"name":"A","domain":"a.example","type":"embed","redirectUris":"x"}`},
		"redirectUris.0":      {`{"name":"A","domain":"a.example","type":"embed","redirectUris":["` + canary + `"]}`, `{"name":"A","domain":"a.example","type":"embed","redirectUris":[7]}`},
		"permissions.0.name":  {`{"name":"A","domain":"a.example","type":"embed","permissions":[{"purpose":"x"}]}`, `{"name":"A","domain":"a.example","type":"embed","permissions":[{"name":7}]}`},
		"providers.1":         {`{"name":"A","domain":"a.example","type":"embed","providers":["sandbox","` + canary + `"]}`},
	} {
		for _, body := range bodies {
			h.untouched(body, func() {
				if said := h.refused(h.Call("POST", clientApps, body), http.StatusBadRequest, latchkey.Invalid); said.Details.Field != field {
					t.Errorf("%s: field %q, want %q", body, said.Details.Field, field)
				}
			})
		}
	}
}

func TestAChangeIsJudgedAsAWhole(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	app := h.registered(h.mine.key, "redirectUris", []string{"https://shop.acme.example/back"})
	path := clientApps + "/" + app.ID
	for body, field := range map[string]string{
		`{"domain":"shop.other.example"}`: "redirectUris.0", `{"type":"embed"}`: "type", `{"environment":"live"}`: "environment",
		`{"name":""}`: "name", `{"whitelabelEnabled":true}`: "whitelabelEnabled", `{"suspended":null}`: "suspended",
		`{"suspended":true,"accentColor":"red"}`: "accentColor",
	} {
		h.untouched(body, func() {
			if said := h.refused(h.Call("PATCH", path, body), http.StatusBadRequest, latchkey.Invalid); said.Details.Field != field {
				t.Errorf("%s: field %q, want %q", body, said.Details.Field, field)
			}
		})
	}
	h.Want(http.StatusOK, "PATCH", path, `{"domain":"shop.other.example","redirectUris":["https://other.example/back"]}`)
}

func TestSuspendingNeverFailsForAnOldFault(t *testing.T) {
	h := house{Server: latchtest.Start(t, latchtest.Options{Idle: true})}
	h.mine = newTenant(h.Server, func(app *latchkey.ClientApp) {
		app.Domain, app.RedirectURIs = "com", []string{"http://anywhere.example/*"}
	})
	path := clientApps + "/" + h.mine.apps[latchkey.AppRedirect]
	h.Trial.APIKey = h.mine.key
	h.refused(h.Call("PATCH", path, `{"name":"Other"}`), http.StatusBadRequest, latchkey.Invalid)
	if app := latchtest.Decode[clientApp](h.Server, h.Want(http.StatusOK, "PATCH", path, `{"suspended":true}`)); !app.Suspended {
		t.Errorf("it is %+v", app)
	}
}

func TestALiveDomainBelongsToOneOrganisation(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		first := h.registered(h.mine.live)
		second := h.registered(h.mine.live, "domain", "acme.example")
		taken := func(answer latchtest.Answer) {
			t.Helper()
			if said := h.refused(answer, http.StatusConflict, latchkey.Conflict); said.Details.Field != "domain" {
				t.Errorf("field %q", said.Details.Field)
			}
		}
		taken(h.register(h.other.live))
		taken(h.register(h.other.live, "domain", "login.acme.example"))
		h.registered(h.other.key) // the sandbox has no claims
		rival := h.registered(h.other.live, "domain", "rival.example")
		taken(h.Call("PATCH", clientApps+"/"+rival.ID, `{"domain":"acme.example"}`, "apikey", h.other.live))
		h.Want(http.StatusNoContent, "DELETE", clientApps+"/"+first.ID, nil, "apikey", h.mine.live)
		taken(h.register(h.other.live))
		h.Want(http.StatusOK, "PATCH", clientApps+"/"+second.ID, `{"domain":"acme2.example"}`, "apikey", h.mine.live)
		h.registered(h.other.live)
		taken(h.Call("PATCH", clientApps+"/"+second.ID, `{"domain":"acme.example"}`, "apikey", h.mine.live))
	})
}

func TestOfManyChangesAtOnceNoneIsLost(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		path := clientApps + "/" + h.registered(h.mine.key).ID
		var group sync.WaitGroup
		statuses := make([]int, 2)
		bodies := []string{`{"suspended":true}`, `{"accentColor":"#000000"}`}
		for i, body := range bodies {
			group.Go(func() { statuses[i] = h.Call("PATCH", path, body).Status })
		}
		group.Wait()
		got := string(h.Want(http.StatusOK, "GET", path, nil).Body)
		for i, want := range []string{`"suspended":true`, `"accentColor":"#000000"`} {
			if (statuses[i] == http.StatusOK) != strings.Contains(got, want) || statuses[i] != http.StatusOK && statuses[i] != http.StatusConflict {
				t.Errorf("%s was answered with %d, and it is now %s", bodies[i], statuses[i], got)
			}
		}
	})
}

func TestADeletedClientAppLeavesItsConnections(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	connection := h.linked("ada")
	open := h.whitelabel()
	hosted := h.Init(map[string]any{"clientAppId": h.mine.apps[latchkey.AppRedirect]})
	for _, id := range h.mine.apps {
		h.Want(http.StatusNoContent, "DELETE", clientApps+"/"+id, nil)
	}
	h.Want(http.StatusOK, "GET", "/v2/account/connections/"+connection, nil)
	h.Want(http.StatusOK, "GET", "/v2/access/proxy/me", nil, "x-connection-id", connection)
	if said := h.refused(h.Call("POST", "/v2/link/init", `{}`), http.StatusBadRequest, latchkey.Invalid); said.Details.Field != "clientAppId" {
		t.Errorf("field %q", said.Details.Field)
	}
	if visit := h.Visit(hosted.URL); visit.Answer.Status != http.StatusGone {
		t.Errorf("the page of a session whose app is gone: %d", visit.Answer.Status)
	}
	wantJSON(t, h.Call("GET", "/v2/link/"+open.ClientSecret, nil), http.StatusOK, `{"status":"not_found"}`)
	h.untouched("a submission", func() {
		h.refused(h.Call("POST", "/v2/link/"+open.ClientSecret+"/submit", `{"version":1}`), http.StatusForbidden, latchkey.Forbidden)
	})
	h.Want(http.StatusNoContent, "DELETE", "/v2/link/"+open.ClientSecret, nil)
}

// wantRecords fails the test unless the first tenant's audit records about a
// subject are these, newest first.
func (h house) wantRecords(subject string, want ...string) {
	h.Helper()
	records := latchtest.Decode[pageOf[auditRecord]](h.Server, h.Want(http.StatusOK, "GET", "/v2/audit?limit=100&subject="+subject, nil)).List
	var got []string
	for _, record := range records {
		got = append(got, record.Action+" "+string(record.Detail))
		if record.Actor != h.mine.keyIDs[h.mine.key] || record.Subject != subject {
			h.Errorf("the record %+v", record)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		h.Errorf("records of %s:\n%s\nwant\n%s", subject, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := h.App.Store().VerifyAudit(h.Context(), h.mine.id); err != nil {
		h.Error(err)
	}
}
