package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
)

// endpoint is a webhook endpoint as the API tells of it.
type endpoint struct {
	ID        string `json:"id"`
	URL       string `json:"url"`
	Status    string `json:"status"`
	CreatedAt string `json:"createdAt"`
	Secret    string `json:"secret"`
}

func TestTheLifeOfAWebhookEndpoint(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		const url = "https://hooks.example.com/in?token=x&a=%2F"
		answer := h.Call("POST", "/v2/webhook-endpoints", map[string]any{
			"url": url, "events": []string{"connection.created", "link.session.failed"}, "description": strings.Repeat("é", 255),
		})
		made := latchtest.Decode[endpoint](h.Server, answer)
		body := fmt.Sprintf(`{"id":%q,"url":%q,"events":["connection.created","link.session.failed"],"description":%q,
			"status":"enabled","rateLimit":null,"createdAt":%q`, made.ID, url, strings.Repeat("é", 255), made.CreatedAt)
		wantJSON(t, answer, http.StatusCreated, `%s,"secret":%q}`, body, made.Secret)
		if !latchkey.ValidID(made.ID, "we_") || !strings.HasPrefix(made.Secret, "whsec_") || len(made.Secret) < 38 {
			t.Errorf("endpoint %q with a secret of %d characters", made.ID, len(made.Secret))
		}
		path := "/v2/webhook-endpoints/" + made.ID
		wantJSON(t, h.Call("GET", path, nil), http.StatusOK, "%s}", body)

		other := latchtest.Decode[endpoint](h.Server, h.Want(http.StatusCreated, "POST", "/v2/webhook-endpoints",
			map[string]any{"url": "http://127.0.0.1:9/", "events": []string{}}))
		if other.Secret == made.Secret || other.ID == made.ID {
			t.Error("two endpoints share an id or a secret")
		}
		type list struct {
			List       []endpoint `json:"list"`
			HasMore    bool       `json:"hasMore"`
			NextOffset int        `json:"nextOffset"`
		}
		first := latchtest.Decode[list](h.Server, h.Want(http.StatusOK, "GET", "/v2/webhook-endpoints?limit=1", nil))
		rest := latchtest.Decode[list](h.Server, h.Want(http.StatusOK, "GET", "/v2/webhook-endpoints?limit=1&offset=1", nil))
		if len(first.List) != 1 || len(rest.List) != 1 || !first.HasMore || rest.HasMore || first.NextOffset != 1 ||
			first.List[0].ID != other.ID || rest.List[0].ID != made.ID || first.List[0].Secret+rest.List[0].Secret != "" {
			t.Errorf("pages %+v and %+v", first, rest)
		}
		if said := h.refused(h.Call("GET", "/v2/webhook-endpoints?limit=0", nil), 400, latchkey.Invalid); said.Details.Field != "limit" {
			t.Errorf("field %q", said.Details.Field)
		}

		if gone := h.Want(http.StatusNoContent, "DELETE", path, nil); len(gone.Body) != 0 {
			t.Errorf("204 with the body %q", gone.Body)
		}
		h.refused(h.Call("DELETE", path, nil), http.StatusNotFound, latchkey.NotFound)
		h.refused(h.Call("GET", path, nil), http.StatusNotFound, latchkey.NotFound)
		for _, id := range []string{"we_unknown", "x", "we_%00", "we_%ff", "we_a%2Fb", canary} {
			h.refused(h.Call("GET", "/v2/webhook-endpoints/"+id, nil), http.StatusNotFound, latchkey.NotFound)
			h.refused(h.Call("DELETE", "/v2/webhook-endpoints/"+id, nil), http.StatusNotFound, latchkey.NotFound)
		}
		if strings.Contains(h.Log.Text(), made.Secret) {
			t.Error("the log has the secret in it")
		}
	})
}

func TestAWebhookEndpointRefuses(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		const good = "https://hooks.example.com/in"
		all := make([]string, len(latchkey.EventTypes())+2)
		for i := range all {
			all[i] = "connection.created"
		}
		for field, bodies := range map[string][]map[string]any{
			"events": {
				{"url": good, "events": []string{canary}}, {"url": good, "events": []string{"connection.*"}},
				{"url": good, "events": []string{""}}, {"url": good, "events": []string{"Connection.Created"}},
				{"url": good, "events": []string{"connection.created,connection.expired"}}, {"url": good, "events": all},
				{"url": good, "events": "connection.created"},
			},
			"description": {
				{"url": good, "description": strings.Repeat("é", 256)}, {"url": good, "description": 7},
				{"url": good, "description": "a\x00b"},
			},
			"rateLimit": {
				{"url": good, "rateLimit": -1}, {"url": good, "rateLimit": 1001}, {"url": good, "rateLimit": 1.5},
				{"url": good, "rateLimit": "fast"},
			},
			"url": hostileURLs(),
		} {
			for _, body := range bodies {
				h.untouched(fmt.Sprint(body), func() {
					said := h.refused(h.Call("POST", "/v2/webhook-endpoints", body), http.StatusBadRequest, latchkey.Invalid)
					if said.Details.Field != field && !strings.HasPrefix(said.Details.Field, field+".") {
						t.Errorf("%v: field %q, want %q", body, said.Details.Field, field)
					}
				})
			}
		}
	})
}

// hostileURLs are URLs that may not be called, even where loopback may.
func hostileURLs() []map[string]any {
	bodies := []map[string]any{{}, {"url": nil}, {"url": 7}, {"url": []string{"https://hooks.example.com/"}}}
	for _, url := range []string{
		"", canary, "hooks.example.com/in", "//hooks.example.com/in", "ftp://hooks.example.com/", "file:///etc/passwd", "gopher://x.example/",
		"javascript:alert(1)", "data:text/plain,x", "unix:///var/run/docker.sock", "https://" + canary + ":" + canary + "@hooks.example.com/",
		"https://hooks.example.com/#x", "https://hooks.example.com:22/", "https://hooks.example.com:6379/", "https://hooks.example.com:99999/",
		"https://hooks.example.com\\@127.0.0.1/", "https://hooks.example.com/\r\nX: y", " https://hooks.example.com/", "https://hooks .example/",
		"https://10.0.0.1/", "https://192.168.1.1/", "https://172.16.0.1/", "https://169.254.169.254/latest/meta-data", "https://100.64.0.1/",
		"https://0.0.0.0/", "https://255.255.255.255/", "https://224.0.0.1/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/",
		"https://[::]/", "https://[fd00::1]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[::ffff:10.0.0.1]/",
		"https://[64:ff9b::a00:1]/", "https://[2002:a00:1::]/", "https://intranet/", "https://printer.local/", "https://metadata.google.internal/",
		"https://hooks..example.com/", "https://bücher.example/", "https://hooks.example.com/" + strings.Repeat("x", 2048), "http://10.0.0.1/",
		"http://[::ffff:127.0.0.1]/", "https://hooks.example.com/\x00",
	} {
		bodies = append(bodies, map[string]any{"url": url})
	}
	return bodies
}

func TestWhoAmI(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	for key, permissions := range map[string]string{
		h.mine.key: `["LINK","ACCOUNT","ACCESS","ADMIN"]`, h.mine.live: `["LINK","ACCOUNT","ACCESS","ADMIN"]`,
		h.mine.without[latchkey.ScopeAdmin]: `["LINK","ACCOUNT","ACCESS"]`,
	} {
		wantJSON(t, h.Call("GET", "/v2/account/whoami", nil, "apikey", key), http.StatusOK,
			`{"id":%q,"name":"Tenant","permissions":%s}`, h.mine.id, permissions)
	}
}
