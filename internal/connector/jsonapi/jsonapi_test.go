package jsonapi_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/internal/connector"
	"latchkey/internal/connector/jsonapi"
)

// serve starts a server and returns its URL and a client.
func serve(t *testing.T, handler http.HandlerFunc) (*url.URL, *http.Client) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	target, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return target, &http.Client{Transport: &http.Transport{}, Timeout: 5 * time.Second}
}

func TestAnObjectIsWrittenFromBytes(t *testing.T) {
	body, err := new(jsonapi.Object).Word("type", "login").Flag("yes", true).Flag("no", false).
		Nested("who", new(jsonapi.Object).Text("user", []byte("a\"b\\\n\x00ä"))).Nested("none", new(jsonapi.Object)).Bytes()
	const want = `{"type":"login","yes":true,"no":false,"who":{"user":"a\"b\\\n\u0000ä"},"none":{}}`
	if err != nil || string(body) != want {
		t.Errorf("got %s, %v", body, err)
	}
	t.Run("a text that is not UTF-8 is refused, wherever it stands", func(t *testing.T) {
		inner := new(jsonapi.Object).Text("p", []byte("\xff"))
		if _, err := new(jsonapi.Object).Nested("inner", inner).Bytes(); !errors.Is(err, jsonapi.ErrText) {
			t.Errorf("got %v", err)
		}
	})
}

func TestACallSendsWhatItSaysAndForgetsIt(t *testing.T) {
	var got *http.Request
	var sent string
	target, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, sent = r, string(body)
		_, _ = w.Write([]byte(`{"n":1}`))
	})
	body := []byte(`{"password":"x"}`)
	answer, err := jsonapi.Do(t.Context(), client, jsonapi.Request{
		Method: http.MethodPost, URL: target.JoinPath("login"), Bearer: []byte("token"), Body: body,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Method != http.MethodPost || got.URL.Path != "/login" || sent != `{"password":"x"}` ||
		got.Header.Get("Authorization") != "Bearer token" || got.Header.Get("Content-Type") != "application/json" ||
		got.Header.Get("Accept") != "application/json" {
		t.Errorf("sent %s %s %v %q", got.Method, got.URL, got.Header, sent)
	}
	if bytes.ContainsAny(body, "px") {
		t.Error("the body is still there")
	}
	var value struct{ N int }
	if err := answer.Decode(&struct {
		N *int `json:"n"`
	}{&value.N}); err != nil || value.N != 1 || !answer.OK() {
		t.Errorf("read %+v, %v", value, err)
	}
	answer.Clear()
	if bytes.ContainsAny(answer.Body, "n1") {
		t.Error("the answer is still there")
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	target, client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/there" {
			t.Error("it was followed")
		}
		w.Header().Set("Location", "/there")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	answer, err := jsonapi.Do(t.Context(), client, jsonapi.Request{URL: target})
	if err != nil || answer.Status != http.StatusTemporaryRedirect || answer.OK() {
		t.Errorf("got %+v, %v", answer, err)
	}
}

func TestAnAnswerIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		limit int
	}{
		"in size by default":  {`"` + strings.Repeat("canary", 50<<10) + `"`, 0},
		"in size where asked": {`"canary canary"`, 10},
		"in depth":            {strings.Repeat(`[`, 65) + `"canary"` + strings.Repeat(`]`, 65), 0},
		"to JSON":             {`canary`, 0},
		"to one value":        {`{"canary":1} x`, 0},
		"to unique names":     {`{"canary":1,"canary":1}`, 0},
		"to its form":         {`["canary"]`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			target, client := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, c.text) })
			answer, err := jsonapi.Do(t.Context(), client, jsonapi.Request{URL: target, Limit: c.limit})
			if err == nil {
				var into struct {
					Canary int `json:"canary"`
				}
				err = answer.Decode(&into)
			}
			if err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestDepthIsBoundedWhateverIsReadInto(t *testing.T) {
	for depth, good := range map[int]bool{64: true, 65: false, 5000: false} {
		target, client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("[", depth)+strings.Repeat("]", depth))
		})
		answer, err := jsonapi.Do(t.Context(), client, jsonapi.Request{URL: target})
		if err != nil {
			t.Fatal(err)
		}
		var into any
		if err := answer.Decode(&into); (err == nil) != good {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
}

func TestACallIsBoundedInTime(t *testing.T) {
	target, client := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	client.Timeout = 50 * time.Millisecond
	if _, err := jsonapi.Do(t.Context(), client, jsonapi.Request{URL: target}); err == nil {
		t.Error("it was waited for")
	}
	if _, err := jsonapi.Do(t.Context(), nil, jsonapi.Request{URL: target}); err == nil {
		t.Error("there is no way out without a client")
	}
}

func TestAWebPageWhereAnAPIShouldBeIsAGate(t *testing.T) {
	for name, c := range map[string]struct {
		status    int
		mediaType string
		blocked   bool
	}{
		"a page that forbids": {http.StatusForbidden, "text/html; charset=utf-8", true},
		"nothing at all":      {http.StatusForbidden, "", true},
		"an API's own no":     {http.StatusForbidden, "application/problem+json", false},
		"a page that is down": {http.StatusServiceUnavailable, "text/html", false},
	} {
		t.Run(name, func(t *testing.T) {
			target, client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Content-Type"] = nil
				if c.mediaType != "" {
					w.Header().Set("Content-Type", c.mediaType)
				}
				w.WriteHeader(c.status)
			})
			answer, err := jsonapi.Do(t.Context(), client, jsonapi.Request{URL: target})
			if err != nil {
				t.Fatal(err)
			}
			if err := answer.Unexpected(); errors.Is(err, connector.ErrBlocked) != c.blocked {
				t.Errorf("got %v", err)
			}
		})
	}
}
