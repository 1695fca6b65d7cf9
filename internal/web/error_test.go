package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/web"
)

// failing is a router whose one route fails with the error.
func failing(err error) *kit {
	k := newKit(nil)
	k.API("GET /x", latchkey.ScopeLink, func(http.ResponseWriter, *http.Request) error { return err })
	return k
}

func TestEveryCodeHasItsStatusAndShape(t *testing.T) {
	for code, status := range map[latchkey.Code]int{
		latchkey.Unauthorized: 401, latchkey.SessionNotProvided: 401, latchkey.SessionExpired: 401,
		latchkey.Forbidden: 403, latchkey.Invalid: 400, latchkey.NotFound: 404, web.RouteNotFound: 404,
		latchkey.Conflict: 409, web.PayloadTooLarge: 413, web.UnsupportedMediaType: 415, latchkey.RateLimited: 429,
		latchkey.ProxyFailed: 502, latchkey.NetworkFailed: 503,
	} {
		t.Run(string(code), func(t *testing.T) {
			fault := latchkey.Errorf(code, "a sentence about it")
			fault.Err = errors.New(canary)
			k := failing(fmt.Errorf("load session ls_1: %w", fault))
			w := k.get("/x")
			answer := wantError(t, w, status, code)
			if answer.Message != "a sentence about it" || answer.Details != nil || answer.Current != nil {
				t.Errorf("answer %+v", answer)
			}
			if want := map[bool]string{true: "refresh_session"}[code == latchkey.SessionExpired]; answer.ActionRequired != want {
				t.Errorf("action required %q, want %q", answer.ActionRequired, want)
			}
			if strings.Contains(w.Body.String(), canary) || w.Header().Get("Retry-After") != "" {
				t.Errorf("answer %s with %v", w.Body, w.Header())
			}
			if logged := fmt.Sprint(k.events(t)[0]["error"]); !strings.Contains(logged, canary) || !strings.Contains(logged, "load session ls_1") {
				t.Errorf("the log lacks the chain: %q", logged)
			}
		})
	}
}

func TestWhatIsInternalGivesNothingAway(t *testing.T) {
	for name, err := range map[string]error{
		"an error without code": errors.New("dial tcp 10.0.0.1: " + canary),
		"an internal error":     &latchkey.Error{Code: latchkey.Internal, Message: canary, Field: canary, Err: errors.New(canary)},
		"an unknown code":       &latchkey.Error{Code: "NEW_" + canary, Message: canary},
		"a wrapped one":         fmt.Errorf("%s: %w", canary, errors.New("disk full")),
	} {
		t.Run(name, func(t *testing.T) {
			k := failing(err)
			w := k.get("/x")
			answer := wantError(t, w, http.StatusInternalServerError, latchkey.Internal)
			if strings.Contains(w.Body.String(), canary) || answer.Details != nil {
				t.Errorf("the answer gives away: %s", w.Body)
			}
			event := k.events(t)[0]
			if event["request"] != answer.RequestID || event["level"] != "ERROR" || !strings.Contains(fmt.Sprint(event["error"]), canary) {
				t.Errorf("the request id leads to %v", event)
			}
		})
	}
}

func TestErrorsCarryTheirDetails(t *testing.T) {
	t.Run("the field at fault", func(t *testing.T) {
		answer := wantError(t, failing(latchkey.InvalidField("geolocation.country", "is wrong")).get("/x"), 400, latchkey.Invalid)
		if answer.Details == nil || answer.Details.Field != "geolocation.country" || answer.Message != "geolocation.country is wrong" {
			t.Errorf("answer %+v", answer)
		}
	})
	t.Run("the object as it stands", func(t *testing.T) {
		err := web.WithCurrent(latchkey.Errorf(latchkey.Conflict, "moved on"), map[string]int{"version": 4})
		answer := wantError(t, failing(fmt.Errorf("step: %w", err)).get("/x"), 409, latchkey.Conflict)
		if fmt.Sprint(answer.Current) != "map[version:4]" {
			t.Errorf("current %v", answer.Current)
		}
	})
	t.Run("when to try again", func(t *testing.T) {
		w := failing(&latchkey.Error{Code: latchkey.RateLimited, Message: "later", RetryAfter: 7}).get("/x")
		wantError(t, w, 429, latchkey.RateLimited)
		if got := w.Header().Get("Retry-After"); got != "7" {
			t.Errorf("Retry-After %q, want 7", got)
		}
	})
	t.Run("a message that can't be written is replaced, and the shape stays", func(t *testing.T) {
		for _, err := range []error{
			latchkey.InvalidField("name", canary+"\xff"),
			web.WithCurrent(latchkey.Errorf(latchkey.Invalid, "%s", canary), latchkey.NewSecret([]byte(canary))),
		} {
			w := failing(err).get("/x")
			wantError(t, w, 400, latchkey.Invalid)
			if strings.Contains(w.Body.String(), canary) {
				t.Errorf("the answer repeats it: %s", w.Body)
			}
		}
	})
}

func TestAPersonGetsAPage(t *testing.T) {
	k := newKit(nil)
	k.Browser("GET /page", func(http.ResponseWriter, *http.Request) error {
		return latchkey.Errorf(latchkey.Invalid, "a <b>bold</b> & \"quoted\" word")
	})
	k.Framed("GET /broken", func(http.ResponseWriter, *http.Request) error { return errors.New(canary) })
	w := k.send(httptest.NewRequest(http.MethodGet, "/page", nil))
	if w.Code != 400 || !strings.Contains(w.Body.String(), "a &lt;b&gt;bold&lt;/b&gt; &amp; &#34;quoted&#34; word") {
		t.Errorf("page %d: %s", w.Code, w.Body)
	}
	w = k.send(httptest.NewRequest(http.MethodGet, "/broken", nil))
	id := w.Header().Get("x-request-id")
	if w.Code != 500 || strings.Contains(w.Body.String(), canary) || id == "" || !strings.Contains(w.Body.String(), id) {
		t.Errorf("page %d: %s", w.Code, w.Body)
	}
}
