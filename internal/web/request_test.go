package web_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/web"
)

func TestARequestIsLoggedOnceWithoutItsSecrets(t *testing.T) {
	var observed []string
	k := newKit(func(config *web.Config) {
		config.Observe = func(pattern string, status int, _ time.Duration) {
			observed = append(observed, fmt.Sprint(pattern, " ", status))
		}
	})
	handler := func(w http.ResponseWriter, r *http.Request) error {
		web.Annotate(r.Context(), slog.String("session", "ls_1"))
		if r.Method == http.MethodDelete {
			return latchkey.Errorf(latchkey.Conflict, "moved on")
		}
		return web.WriteJSON(w, http.StatusAccepted, web.RequestID(r.Context()))
	}
	k.API("POST /v2/link/{secret}", latchkey.ScopeLink, handler)
	k.API("DELETE /v2/link/{secret}", latchkey.ScopeLink, handler)
	k.Browser("GET /s/{secret}", handler)
	k.Public("GET /static/{file}", http.NotFoundHandler())
	body := strings.NewReader(`{"password":"` + canary + `"}`)
	k.send(httptest.NewRequest(http.MethodPost, "/v2/link/cs_"+canary+"?code="+canary, body),
		"apikey", goodKey, "Cookie", "a="+canary, "Referer", "https://x/"+canary, "User-Agent", canary)
	k.send(httptest.NewRequest(http.MethodDelete, "/v2/link/cs_"+canary, nil), "Authorization", "Bearer "+goodKey)
	k.send(httptest.NewRequest(http.MethodPost, "/v2/link/cs_"+canary, nil), "apikey", canary)
	k.send(httptest.NewRequest(http.MethodGet, "/s/cs_"+canary, nil))
	k.send(httptest.NewRequest(http.MethodGet, "/static/"+canary, nil))
	k.send(httptest.NewRequest(http.MethodGet, "/"+canary, nil))

	if strings.Contains(k.log.String(), canary) || strings.Contains(k.log.String(), goodKey) {
		t.Errorf("the log has a secret in it:\n%s", k.log)
	}
	var got []string
	for _, event := range k.events(t) {
		if event["msg"] != "request" || !latchkey.ValidID(fmt.Sprint(event["request"]), "req_") || event["took"] == nil {
			t.Errorf("event %v", event)
		}
		got = append(got, fmt.Sprintln(event["method"], event["route"], event["status"], event["session"], event["key"]))
	}
	want := []string{
		"POST POST /v2/link/{secret} 202 ls_1 key_1\n", "DELETE DELETE /v2/link/{secret} 409 ls_1 key_1\n",
		"POST POST /v2/link/{secret} 401 <nil> <nil>\n", "GET GET /s/{secret} 202 ls_1 <nil>\n",
		"GET GET /static/{file} 404 <nil> <nil>\n", "GET  404 <nil> <nil>\n",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("events\n%v\nwant\n%v", got, want)
	}
	if len(observed) != len(want) || observed[0] != "POST /v2/link/{secret} 202" || observed[5] != " 404" {
		t.Errorf("observed %q", observed)
	}
}

func TestAPanicIsAnsweredWithoutItsWords(t *testing.T) {
	k := newKit(nil)
	boom := func(http.ResponseWriter, *http.Request) error { panic(errors.New(canary)) }
	k.API("GET /api", latchkey.ScopeLink, boom)
	k.Framed("GET /framed", boom)
	k.Public("GET /public", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(canary) }))
	for _, path := range []string{"/api", "/framed", "/public"} {
		w := k.get(path)
		answer := wantError(t, w, http.StatusInternalServerError, latchkey.Internal)
		if strings.Contains(w.Body.String(), canary) {
			t.Errorf("%s gives away the cause: %s", path, w.Body)
		}
		found := 0
		for _, event := range k.events(t) {
			if strings.Contains(fmt.Sprint(event), canary) {
				t.Errorf("%s: the log gives away the cause: %v", path, event)
			}
			if event["request"] == answer.RequestID && event["level"] == "ERROR" {
				found++
				if event["msg"] == "request panicked" && !strings.Contains(fmt.Sprint(event["stack"]), "request_test.go") {
					t.Errorf("the stack does not lead to the panic: %v", event["stack"])
				}
			}
		}
		if found != 2 { // the panic and the request
			t.Errorf("%s: %d events have the request id, want 2", path, found)
		}
	}
}

func TestHalfAnAnswerIsAborted(t *testing.T) {
	k := newKit(nil)
	k.API("GET /half", latchkey.ScopeLink, func(w http.ResponseWriter, _ *http.Request) error {
		_, _ = io.WriteString(w, `{"list":[]`)
		_ = http.NewResponseController(w).Flush()
		panic(canary)
	})
	k.API("GET /abort", latchkey.ScopeLink, func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) })
	server := httptest.NewServer(k)
	defer server.Close()
	for _, path := range []string{"/half", "/abort"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("apikey", goodKey)
		response, err := server.Client().Do(request)
		if err == nil {
			_, err = io.ReadAll(response.Body)
			_ = response.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: the answer looks whole", path)
		}
	}
	if logged := strings.Count(k.log.String(), `"msg":"request"`); logged != 2 {
		t.Errorf("%d requests logged, want 2:\n%s", logged, k.log)
	}
}

func TestTheKeyOfARequest(t *testing.T) {
	k := newKit(nil)
	k.API("GET /link", latchkey.ScopeLink, func(w http.ResponseWriter, r *http.Request) error {
		return web.WriteJSON(w, http.StatusOK, web.Caller(r.Context()).KeyID)
	})
	k.API("GET /admin", latchkey.ScopeAdmin, func(w http.ResponseWriter, _ *http.Request) error {
		return web.WriteJSON(w, http.StatusOK, nil)
	})
	for _, test := range []struct {
		name    string
		status  int
		headers []string
	}{
		{"apikey", 200, []string{"apikey", goodKey}},
		{"apiKey", 200, []string{"apiKey", goodKey}},
		{"APIKEY", 200, []string{"APIKEY", goodKey}},
		{"a bearer token", 200, []string{"Authorization", "Bearer " + goodKey}},
		{"a bearer token by another case", 200, []string{"authorization", "bEARER  " + goodKey + " "}},
		{"apikey counts before a bearer token", 200, []string{"apikey", goodKey, "Authorization", "Bearer other"}},
		{"a bearer token does not help a wrong apikey", 401, []string{"apikey", "other", "Authorization", "Bearer " + goodKey}},
		{"basic beside bearer", 200, []string{"Authorization", "Basic eDp5", "Authorization", "Bearer " + goodKey}},
		{"none", 401, nil},
		{"an empty apikey", 401, []string{"apikey", ""}},
		{"an empty apikey beside a bearer token", 401, []string{"apikey", "", "Authorization", "Bearer " + goodKey}},
		{"the same apikey twice", 401, []string{"apikey", goodKey, "apikey", goodKey}},
		{"two apikeys", 401, []string{"apikey", goodKey, "apiKey", "other"}},
		{"two bearer tokens", 401, []string{"Authorization", "Bearer " + goodKey, "Authorization", "Bearer other"}},
		{"an empty bearer token", 401, []string{"Authorization", "Bearer "}},
		{"bearer alone", 401, []string{"Authorization", "Bearer"}},
		{"basic", 401, []string{"Authorization", "Basic " + goodKey}},
		{"the key in a cookie", 401, []string{"Cookie", "apikey=" + goodKey}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := k.send(httptest.NewRequest(http.MethodGet, "/link", nil), test.headers...)
			if w.Code != test.status {
				t.Errorf("status %d, want %d: %s", w.Code, test.status, w.Body)
			}
			if test.status == http.StatusUnauthorized {
				wantError(t, w, test.status, latchkey.Unauthorized)
			}
		})
	}
	wantError(t, k.send(httptest.NewRequest(http.MethodGet, "/link?apikey="+goodKey, nil)), 401, latchkey.Unauthorized)
	wantError(t, k.get("/admin"), 403, latchkey.Forbidden)
}
