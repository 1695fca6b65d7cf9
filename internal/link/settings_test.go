package link_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

func TestTheSettingsOfAConnection(t *testing.T) {
	t.Parallel()
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		id := h.begin().login("ada").Data.ID
		path := "/v2/account/connections/" + id + "/settings"
		is := func(answer latchtest.Answer, format string, args ...any) {
			t.Helper()
			if diff := cmp.Diff(fmt.Sprintf(format, args...), string(answer.Body)); diff != "" || answer.Status != http.StatusOK {
				t.Errorf("answer %d (-want +got):\n%s", answer.Status, diff)
			}
		}
		const body = `{"rateLimit":{"perMinute":%d,"burst":%d},"metadata":%s,"vaultPlus":{"enabled":false}}`
		is(h.Call("GET", path, nil), body, 60, 90, "{}")
		for _, change := range []struct {
			change           string
			perMinute, burst int
			metadata         string
		}{
			{`{}`, 60, 90, "{}"},
			{`{"rateLimit":{"perMinute":6000}}`, 6000, 90, "{}"},
			{`{"rateLimit":{"burst":1},"metadata":{"a":"1"}}`, 6000, 1, `{"a":"1"}`},
			{`{"metadata":{"b":"2"},"vaultPlus":{"enabled":false}}`, 6000, 1, `{"b":"2"}`}, // as a whole
			{`{"rateLimit":{"perMinute":1,"burst":6000}}`, 1, 6000, `{"b":"2"}`},
			{`{"metadata":{}}`, 1, 6000, "{}"},
		} {
			is(h.Call("PATCH", path, change.change), body, change.perMinute, change.burst, change.metadata)
			is(h.Call("GET", path, nil), body, change.perMinute, change.burst, change.metadata)
		}
		for change, field := range map[string]string{
			`{"rateLimit":{"perMinute":0}}`: "rateLimit.perMinute", `{"rateLimit":{"perMinute":6001}}`: "rateLimit.perMinute",
			`{"rateLimit":{"burst":0}}`: "rateLimit.burst", `{"rateLimit":{"burst":-1}}`: "rateLimit.burst",
			`{"rateLimit":{"burst":6001,"perMinute":5}}`: "rateLimit.burst", `{"vaultPlus":{"enabled":true}}`: "vaultPlus.enabled",
			`{"metadata":{"` + strings.Repeat("k", 65) + `":"v"}}`:  "metadata",
			`{"metadata":{"k":"` + strings.Repeat("v", 513) + `"}}`: "metadata",
		} {
			got := h.refused(h.Call("PATCH", path, change))
			wantRefusal(t, change, got, http.StatusBadRequest, latchkey.Invalid, field)
		}
		is(h.Call("GET", path, nil), body, 1, 6000, "{}")
		t.Run("twenty changes at once are all taken", func(t *testing.T) {
			var taken atomic.Int32
			var all sync.WaitGroup
			for i := range 20 {
				all.Go(func() {
					answer := h.Call("PATCH", path, map[string]any{"metadata": map[string]string{"n": fmt.Sprint(i)}})
					if answer.Status == http.StatusOK {
						taken.Add(1)
					}
				})
			}
			all.Wait()
			if taken.Load() != 20 {
				t.Errorf("%d of 20 were taken", taken.Load())
			}
		})
		t.Run("outlive a new login, and the connection's end", func(t *testing.T) {
			h.Want(http.StatusOK, "PATCH", path, map[string]any{"metadata": map[string]string{"kept": "yes"}})
			if again := h.begin().login("ada").Data.ID; again != id {
				t.Fatalf("linked again as %s", again)
			}
			is(h.Call("GET", path, nil), body, 1, 6000, `{"kept":"yes"}`)
			h.Want(http.StatusOK, "POST", "/v2/account/connections/"+id+"/invalidate", nil)
			is(h.Call("PATCH", path, `{"rateLimit":{"burst":7}}`), body, 1, 7, `{"kept":"yes"}`)
			if status := h.Connections()[0].Status; status != "expired" {
				t.Errorf("the connection is %s", status)
			}
		})
	})
}

func TestTheRateLimitOfAConnectionHoldsAtTheProxy(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	h.Clock.Freeze(time.Now()) // no token comes back because the machine is slow
	id, other := h.begin().login("ada").Data.ID, h.begin().login("eve").Data.ID
	settings := "/v2/account/connections/" + id + "/settings"
	call := func(connection string) latchtest.Answer {
		return h.Call("GET", "/v2/access/proxy/me", nil, "x-connection-id", connection)
	}
	burst := func() (allowed int) {
		for range 20 {
			if call(id).Status == http.StatusOK {
				allowed++
			}
		}
		return allowed
	}
	h.Want(http.StatusOK, "PATCH", settings, map[string]any{"rateLimit": map[string]int{"perMinute": 6, "burst": 4}})
	first := call(id)
	if limit, left := first.Header.Get("X-RateLimit-Limit"), first.Header.Get("X-RateLimit-Remaining"); limit != "4" || left != "3" {
		t.Errorf("the first call says limit %s with %s left, want 4 and 3", limit, left)
	}
	if allowed := burst(); allowed != 3 {
		t.Errorf("%d calls more were let through, want 3", allowed)
	}
	refused := call(id)
	wantRefusal(t, "one too many", h.refused(refused), http.StatusTooManyRequests, latchkey.RateLimited, "")
	if wait := refused.Header.Get("Retry-After"); wait != "10" {
		t.Errorf("it says to wait %q seconds, want 10", wait)
	}
	if call(other).Status != http.StatusOK {
		t.Error("another connection pays for it")
	}
	h.Clock.Move(10 * time.Second)
	if allowed := burst(); allowed != 1 {
		t.Errorf("%d calls were let through ten seconds later, want 1", allowed)
	}
	h.Want(http.StatusOK, "PATCH", settings, map[string]any{"rateLimit": map[string]int{"perMinute": 60, "burst": 10}})
	h.Clock.Move(10 * time.Second) // one comes back: the change is known with the next call
	if allowed := burst(); allowed != 7 {
		t.Errorf("%d calls were let through with a larger bucket, want 7", allowed)
	}
}
