package sandbox_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"latchkey/internal/connector/sandbox"
)

// call sends a request to the fixtures with the credential of an address.
func call(t *testing.T, address, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	request := authorized(t, address, method, target, body)
	return serve(request)
}

// authorized returns a request with the credential of an address.
func authorized(t *testing.T, address, method, target, body string) *http.Request {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	credential := mustLink(t, address).Credential.Secret
	if err := sandbox.New(sandbox.Config{}).Authorize(request, credential); err != nil {
		t.Fatal(err)
	}
	return request
}

// serve lets a fresh provider answer.
func serve(request *http.Request) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	sandbox.New(sandbox.Config{}).Handler().ServeHTTP(recorder, request)
	return recorder
}

// decode reads an answer's JSON.
func decode[T any](t *testing.T, recorder *httptest.ResponseRecorder) T {
	t.Helper()
	if kind := recorder.Header().Get("Content-Type"); kind != "application/json" {
		t.Errorf("content type %q", kind)
	}
	var value T
	if err := json.UnmarshalRead(recorder.Body, &value); err != nil {
		t.Fatalf("status %d: %v", recorder.Code, err)
	}
	return value
}

const jo = "jo@creator.sandbox.com"

func TestTheProfile(t *testing.T) {
	for address, accountType := range map[string]string{jo: "creator", "jo@fan.sandbox.com": "fan", "jo@expiring-fan.sandbox.com": "fan"} {
		user := mustLink(t, address).User
		got := decode[map[string]any](t, call(t, address, http.MethodGet, "/me", ""))
		if got["id"] != user.ID || got["name"] != user.Name || got["username"] != user.Username || got["accountType"] != accountType || got["avatar"] != nil {
			t.Errorf("profile %v, linked %+v", got, user)
		}
	}
}

func TestPosts(t *testing.T) {
	type posts struct {
		List    []map[string]any `json:"list"`
		HasMore bool             `json:"hasMore"`
	}
	page := func(query string) posts {
		return decode[posts](t, call(t, jo, http.MethodGet, "/posts"+query, ""))
	}
	t.Run("come in pages that join without gaps or repeats", func(t *testing.T) {
		whole := page("?limit=100")
		if len(whole.List) < 20 || whole.HasMore {
			t.Fatalf("%d posts, more: %t", len(whole.List), whole.HasMore)
		}
		var joined []map[string]any
		for offset, more := 0, true; more; offset += 7 {
			part := page("?limit=7&offset=" + strconv.Itoa(offset))
			joined, more = append(joined, part.List...), part.HasMore
		}
		if diff := cmp.Diff(whole.List, joined); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("are ten without a limit", func(t *testing.T) {
		if got := page(""); len(got.List) != 10 || !got.HasMore {
			t.Errorf("%d posts, more: %t", len(got.List), got.HasMore)
		}
	})
	t.Run("end in an empty list", func(t *testing.T) {
		if got := page("?offset=1000"); got.List == nil || len(got.List) != 0 || got.HasMore {
			t.Errorf("%+v", got)
		}
	})
	t.Run("differ from person to person", func(t *testing.T) {
		other := decode[posts](t, call(t, "jp@creator.sandbox.com", http.MethodGet, "/posts", ""))
		if cmp.Equal(other.List, page("").List) {
			t.Error("two people posted the same")
		}
	})
	for _, query := range []string{"?limit=0", "?limit=101", "?limit=x", "?offset=-1", "?limit=", "?offset=99999999999999999999"} {
		t.Run("are refused for "+query, func(t *testing.T) {
			if got := call(t, jo, http.MethodGet, "/posts"+query, ""); got.Code != http.StatusBadRequest {
				t.Errorf("status %d", got.Code)
			}
		})
	}
}

func TestMessages(t *testing.T) {
	t.Run("are echoed with an id of their own", func(t *testing.T) {
		type message struct {
			ID   string `json:"id"`
			Text string `json:"text"`
		}
		first := call(t, jo, http.MethodPost, "/messages", `{"text":"<b>hé</b>","extra":1}`)
		got := decode[message](t, first)
		if first.Code != http.StatusCreated || got.Text != "<b>hé</b>" || !strings.HasPrefix(got.ID, "msg_") {
			t.Errorf("status %d, %+v", first.Code, got)
		}
		if other := decode[message](t, call(t, jo, http.MethodPost, "/messages", `{"text":"b"}`)); other.ID == got.ID {
			t.Error("two messages share an id")
		}
	})
	for name, bad := range map[string]struct {
		body   string
		status int
	}{
		"no JSON":         {"hello", 400},
		"nothing":         {"", 400},
		"an empty text":   {`{"text":""}`, 400},
		"a number":        {`{"text":1}`, 400},
		"trailing data":   {`{"text":"a"}{}`, 400},
		"duplicate names": {`{"text":"a","text":"b"}`, 400},
		"too much":        {`{"text":"` + strings.Repeat("a", 64<<10) + `"}`, 413},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			if got := call(t, jo, http.MethodPost, "/messages", bad.body); got.Code != bad.status {
				t.Errorf("status %d, want %d", got.Code, bad.status)
			}
		})
	}
}

func TestASlowAnswer(t *testing.T) {
	t.Run("takes five seconds", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			got := call(t, jo, http.MethodGet, "/slow", "")
			if took := time.Since(start); took != 5*time.Second || got.Code != http.StatusOK {
				t.Errorf("status %d after %s", got.Code, took)
			}
		})
	})
	t.Run("is given up when the caller has gone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			got := serve(authorized(t, jo, http.MethodGet, "/slow", "").WithContext(ctx))
			if took := time.Since(start); took != time.Second || got.Body.Len() != 0 {
				t.Errorf("%d bytes after %s", got.Body.Len(), took)
			}
		})
	})
}

func TestAStatusOnDemand(t *testing.T) {
	for path, wanted := range map[string]int{
		"200": 200, "204": 204, "304": 304, "404": 404, "429": 429, "503": 503, "599": 599,
		"199": 400, "600": 400, "abc": 400, "-1": 400, "200x": 400,
	} {
		got := call(t, jo, http.MethodGet, "/status/"+path, "")
		bodiless := wanted == 204 || wanted == 304
		if got.Code != wanted || (got.Body.Len() == 0) != bodiless {
			t.Errorf("%s: status %d with %d bytes", path, got.Code, got.Body.Len())
		}
	}
}

func TestTheFixturesRefuse(t *testing.T) {
	t.Run("another method, naming the right one", func(t *testing.T) {
		got := call(t, jo, http.MethodDelete, "/me", "")
		if got.Code != http.StatusMethodNotAllowed || got.Header().Get("Allow") != http.MethodGet {
			t.Errorf("status %d, allow %q", got.Code, got.Header().Get("Allow"))
		}
		decode[map[string]any](t, got)
	})
	t.Run("an unknown path", func(t *testing.T) {
		got := call(t, jo, http.MethodGet, "/admin", "")
		if got.Code != http.StatusNotFound {
			t.Errorf("status %d", got.Code)
		}
		decode[map[string]any](t, got)
	})
	good := authorized(t, jo, http.MethodGet, "/me", "").Header.Get("Authorization")
	for name, header := range map[string]string{
		"no credential":        "",
		"another scheme":       strings.Replace(good, "Sandbox ", "Bearer ", 1),
		"no scheme":            strings.TrimPrefix(good, "Sandbox "),
		"a cut credential":     good[:len(good)-4],
		"a changed credential": strings.Replace(good, "sbx_e", "sbx_f", 1),
		"an overlong one":      good + strings.Repeat("A", 2048),
		"a credential of dots": "Sandbox sbx_...",
		"an empty one":         "Sandbox sbx_.",
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/me", nil)
			request.Header.Set("Authorization", header)
			got := serve(request)
			if got.Code != http.StatusUnauthorized || got.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("status %d", got.Code)
			}
			if body, _ := io.ReadAll(got.Body); header != "" && strings.Contains(string(body), header) {
				t.Error("the answer echoes the credential")
			}
		})
	}
}
