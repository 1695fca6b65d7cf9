package latchkey_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	latchkey "latchkey/sdk/go"
)

// trouble is every answer after which a call that is safe is made again.
var trouble = map[string]http.HandlerFunc{
	"429": says(http.StatusTooManyRequests, `{"type":"RATE_LIMIT_EXCEEDED","code":"RATE_LIMIT_EXCEEDED","message":"slow"}`),
	"502": says(http.StatusBadGateway, "<html>"),
	"503": says(http.StatusServiceUnavailable, ""), "a broken connection": breaks,
}

func TestWhatIsSafeIsTriedAgain(t *testing.T) {
	one := "conn_1"
	for name, call := range map[string]func(context.Context, *latchkey.Client) error{
		"a reading":  func(ctx context.Context, c *latchkey.Client) error { _, err := c.Account.Whoami(ctx); return err },
		"a deletion": func(ctx context.Context, c *latchkey.Client) error { return c.Connections.Disconnect(ctx, one) },
		"an end":     func(ctx context.Context, c *latchkey.Client) error { return c.Connections.Invalidate(ctx, one) },
		"a change": func(ctx context.Context, c *latchkey.Client) error {
			_, err := c.Account.UpdateSettings(ctx, latchkey.SettingsPatch{})
			return err
		},
		"an init": func(ctx context.Context, c *latchkey.Client) error {
			_, err := c.Link.Init(ctx, latchkey.InitRequest{})
			return err
		},
		"a proxied reading": func(ctx context.Context, c *latchkey.Client) error {
			return proxied(ctx, c, latchkey.ProxyRequest{Path: "me"})
		},
	} {
		for kind, answer := range trouble {
			t.Run(name+" after "+kind, func(t *testing.T) {
				server := serve(t, answer, answer, says(http.StatusOK, `{}`))
				var waits []time.Duration
				if err := call(t.Context(), server.client(t, &waits)); err != nil {
					t.Fatal(err)
				}
				if requests, _ := server.came(); len(requests) != 3 || len(waits) != 2 {
					t.Errorf("%d requests and waits %v, want 3 requests", len(requests), waits)
				}
			})
		}
	}
}

func TestWhatIsNotSafeIsTriedOnce(t *testing.T) {
	one := "conn_1"
	for name, call := range map[string]func(context.Context, *latchkey.Client) error{
		"a submission": func(ctx context.Context, c *latchkey.Client) error {
			_, err := c.Link.Submit(ctx, "cs_1", latchkey.Submission{Version: 1})
			return err
		},
		"a confirmation": func(ctx context.Context, c *latchkey.Client) error {
			_, err := c.Link.Confirm(ctx, latchkey.ConfirmRequest{Code: "x"})
			return err
		},
		"an import": func(ctx context.Context, c *latchkey.Client) error {
			_, err := c.Connections.Import(ctx, latchkey.ImportRequest{})
			return err
		},
		"a second import": func(ctx context.Context, c *latchkey.Client) error {
			_, err := c.Connections.Reimport(ctx, one, latchkey.ReimportRequest{})
			return err
		},
		"a new key": func(ctx context.Context, c *latchkey.Client) error {
			_, err := c.APIKeys.Create(ctx, latchkey.NewAPIKey{})
			return err
		},
		"a rotation": func(ctx context.Context, c *latchkey.Client) error {
			_, err := c.WebhookEndpoints.RotateSecret(ctx, "we_1")
			return err
		},
		"a proxied body": func(ctx context.Context, c *latchkey.Client) error {
			return proxied(ctx, c, latchkey.ProxyRequest{Path: "me", Body: strings.NewReader("x")})
		},
		"a proxied POST": func(ctx context.Context, c *latchkey.Client) error {
			return proxied(ctx, c, latchkey.ProxyRequest{Method: http.MethodPost, Path: "me"})
		},
		"a proxied DELETE": func(ctx context.Context, c *latchkey.Client) error {
			return proxied(ctx, c, latchkey.ProxyRequest{Method: http.MethodDelete, Path: "me"})
		},
	} {
		for kind, answer := range trouble {
			t.Run(name+" after "+kind, func(t *testing.T) {
				server := serve(t, answer, says(http.StatusOK, `{}`))
				if err := call(t.Context(), server.client(t, nil)); err == nil {
					t.Error("the trouble is not told")
				}
				if requests, _ := server.came(); len(requests) != 1 {
					t.Errorf("%d requests, want 1", len(requests))
				}
			})
		}
	}
}

// proxied makes a proxied call and takes an answer of 400 and above for an
// error.
func proxied(ctx context.Context, client *latchkey.Client, request latchkey.ProxyRequest) error {
	response, err := client.Access.Do(ctx, "conn_1", request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	return latchkey.ErrorOf(response)
}

func TestOtherAnswersAreFinal(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 409, 413, 415, 500, 501, 504} {
		server := serve(t, says(status, `{}`))
		_, err := server.client(t, nil).Account.Whoami(t.Context())
		if failed, ok := errors.AsType[*latchkey.Error](err); !ok || failed.Status != status {
			t.Errorf("status %d: %v", status, err)
		}
		if requests, _ := server.came(); len(requests) != 1 {
			t.Errorf("status %d: %d requests, want 1", status, len(requests))
		}
	}
}

func TestTheServerSaysHowLongToWait(t *testing.T) {
	for name, test := range map[string]struct {
		header      string
		least, most time.Duration
	}{
		"seconds":           {"7", 7 * time.Second, 7 * time.Second},
		"no seconds":        {"0", 0, 0},
		"an hour":           {"3600", time.Minute, time.Minute},
		"a date":            {time.Now().Add(20 * time.Second).UTC().Format(http.TimeFormat), 15 * time.Second, 20 * time.Second},
		"a date gone by":    {"Wed, 21 Oct 2015 07:28:00 GMT", 0, 0},
		"a date far off":    {"Wed, 21 Oct 2095 07:28:00 GMT", time.Minute, time.Minute},
		"nothing":           {"", 0, 500 * time.Millisecond},
		"words":             {"soon", 0, 500 * time.Millisecond},
		"a negative number": {"-5", 0, 500 * time.Millisecond},
		"a huge number":     {"99999999999999999999", 0, 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, says(http.StatusTooManyRequests, `{}`, "Retry-After", test.header), says(http.StatusOK, `{}`))
			var waits []time.Duration
			if _, err := server.client(t, &waits).Account.Whoami(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(waits) != 1 || waits[0] < test.least || waits[0] > test.most {
				t.Errorf("waits %v, want one of %s to %s", waits, test.least, test.most)
			}
		})
	}
}

func TestWaitsGrowAndAreNeverTheSame(t *testing.T) {
	server := serve(t, says(http.StatusServiceUnavailable, ""))
	client, err := latchkey.New(latchkey.Config{BaseURL: server.URL, APIKey: testKey, MaxRetries: 40})
	if err != nil {
		t.Fatal(err)
	}
	waits := map[time.Duration]bool{}
	number := 0
	client.SetWait(func(_ context.Context, delay time.Duration) error {
		if most := min(500*time.Millisecond<<min(number, 10), 8*time.Second); delay < 0 || delay >= most {
			t.Errorf("wait %d is %s, want less than %s", number, delay, most)
		}
		number++
		waits[delay] = true
		return nil
	})
	if _, err := client.Account.Whoami(t.Context()); err == nil {
		t.Error("the trouble is not told")
	}
	if number != 40 || len(waits) < 39 {
		t.Errorf("%d waits, %d different ones, want 40", number, len(waits))
	}
}

func TestAContextEndsTheTrying(t *testing.T) {
	t.Run("at once, when the next try would come too late", func(t *testing.T) {
		server := serve(t, says(http.StatusTooManyRequests, `{"type":"RATE_LIMIT_EXCEEDED","code":"RATE_LIMIT_EXCEEDED"}`, "Retry-After", "50"))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var waits []time.Duration
		_, err := server.client(t, &waits).Account.Whoami(ctx)
		if failed, ok := errors.AsType[*latchkey.Error](err); !ok || failed.RetryAfter != 50*time.Second || len(waits) != 0 {
			t.Errorf("got %v after %v, want the answer 429", err, waits)
		}
	})
	t.Run("while waiting", func(t *testing.T) {
		server := serve(t, says(http.StatusTooManyRequests, `{}`, "Retry-After", "50"))
		client, err := latchkey.New(latchkey.Config{BaseURL: server.URL, APIKey: testKey})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		client.SetWait(func(ctx context.Context, delay time.Duration) error {
			go cancel()
			return latchkey.WaitFor(ctx, delay)
		})
		if _, err := client.Account.Whoami(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
	t.Run("while a call is under way", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		server := serve(t, func(http.ResponseWriter, *http.Request) { cancel(); panic(http.ErrAbortHandler) })
		var waits []time.Duration
		if _, err := server.client(t, &waits).Account.Whoami(ctx); err == nil || len(waits) != 0 {
			t.Errorf("got %v after %v, want an error and no wait", err, waits)
		}
	})
}

func TestRetriesCanBeTurnedOff(t *testing.T) {
	server := serve(t, says(http.StatusServiceUnavailable, ""))
	client, err := latchkey.New(latchkey.Config{BaseURL: server.URL, APIKey: testKey, MaxRetries: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Account.Whoami(t.Context()); err == nil {
		t.Error("the trouble is not told")
	}
	if requests, _ := server.came(); len(requests) != 1 {
		t.Errorf("%d requests, want 1", len(requests))
	}
}

func TestADeletionWhoseAnswerWasLostHasHappened(t *testing.T) {
	gone := says(http.StatusNotFound, `{"type":"RESOURCE_NOT_FOUND","code":"RESOURCE_NOT_FOUND"}`)
	for name, test := range map[string]struct {
		first http.HandlerFunc
		good  bool
	}{"lost": {breaks, true}, "lost by a gateway": {trouble["502"], true}, "never tried": {trouble["429"], false}, "not there": {gone, false}} {
		err := serve(t, test.first, gone).client(t, nil).ClientApps.Delete(t.Context(), "app_1")
		if (err == nil) != test.good || err != nil && !latchkey.IsNotFound(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnInitIsTheSameAtEveryTry(t *testing.T) {
	server := serve(t, breaks, trouble["503"], says(http.StatusOK, `{"mode":"hosted"}`, "Idempotent-Replayed", "true"))
	client := server.client(t, nil)
	answer, err := client.Link.Init(t.Context(), latchkey.InitRequest{ClientReferenceID: "user_1"})
	if err != nil || !answer.Replayed {
		t.Fatalf("answer %+v: %v", answer, err)
	}
	if _, err := client.Link.Init(t.Context(), latchkey.InitRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Link.Init(t.Context(), latchkey.InitRequest{}, latchkey.WithIdempotencyKey("mine")); err != nil {
		t.Fatal(err)
	}
	requests, bodies := server.came()
	var keys []string
	for _, request := range requests {
		keys = append(keys, request.Header.Get("Idempotency-Key"))
	}
	if keys[0] == "" || keys[0] != keys[1] || keys[1] != keys[2] || keys[3] == keys[0] || keys[4] != "mine" {
		t.Errorf("idempotency keys %q", keys)
	}
	want := `{"clientReferenceId":"user_1"}`
	if diff := cmp.Diff([]string{want, want, want, "{}", "{}"}, bodies); diff != "" {
		t.Error(diff)
	}
}

func TestAnAnswerThatBreaksHalfWayIsLost(t *testing.T) {
	half := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"id":`)
	}
	server := serve(t, half, says(http.StatusOK, `{"id":"org_1"}`))
	who, err := server.client(t, nil).Account.Whoami(t.Context())
	if err != nil || who.ID != "org_1" {
		t.Errorf("got %+v, %v", who, err)
	}
}
