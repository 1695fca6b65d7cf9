package link_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
)

// reply is an answer to a submission that was sent beside the test.
type reply struct {
	status int
	got    answered
}

// hang sends a login that stays at the provider until it is released, and
// returns when it has arrived there.
func (b begun) hang(username string) (release func(), answer <-chan reply) {
	b.Helper()
	b.take(agreed)
	version, before := b.stored().Version, b.Provider.Logins()
	release = b.Provider.Hold()
	replies := make(chan reply, 1)
	go func() {
		status, got := b.send(submission{Version: version, Fields: credentials(username)})
		replies <- reply{status, got}
	}()
	latchtest.Eventually(b.TB, "the login arrives", func() bool { return b.Provider.Logins() > before })
	return release, replies
}

func TestATryThatCrashedIsTakenUpAgain(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		b := h.begin()
		release, lost := b.hang("ada")
		trying := b.stored()
		if trying.State != latchkey.StateTrying || trying.Progress.AttemptsLeft != 4 {
			t.Fatalf("session %s with %d attempts left", trying.State, trying.Progress.AttemptsLeft)
		}
		h.Clock.Move(59 * time.Second)
		if status, got := b.send(submission{Version: trying.Version, Fields: credentials("ada")}); status != http.StatusConflict {
			t.Fatalf("within the lease: answer %d: %+v", status, got)
		}
		h.Clock.Move(2 * time.Second)
		if stored := b.stored(); stored.State != latchkey.StateTrying || stored.Version != trying.Version {
			t.Fatalf("looking wrote something: %s at version %d", stored.State, stored.Version)
		}
		h.Provider.Hold()() // later logins do not wait; the lost one does
		got := b.take(credentials("ada"))
		if got.Status != "completed" {
			t.Fatalf("after the lease: %+v", got)
		}
		release()
		late := <-lost
		if late.status != http.StatusConflict || late.got.Current == nil || late.got.Current.Data.ID != got.Data.ID {
			t.Errorf("the lost try is answered %+v, want a conflict that shows the connection", late)
		}
		if stored := b.stored(); stored.Version != trying.Version+2 || stored.Progress.AttemptsLeft != 3 {
			t.Errorf("version %d with %d attempts left: the lost try wrote something", stored.Version, stored.Progress.AttemptsLeft)
		}
		if logins := h.Provider.Logins(); logins != 2 || len(h.Connections()) != 1 {
			t.Errorf("%d logins and %d connections, want 2 attempts and one connection", logins, len(h.Connections()))
		}
	})
}

func TestALateTryThatNobodyOvertookIsWrittenDown(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	b := h.begin()
	release, lost := b.hang("ada")
	h.Clock.Move(2 * time.Minute)
	if got := b.stored(); got.State != latchkey.StateTrying {
		t.Fatalf("session %s", got.State)
	}
	release()
	if late := <-lost; late.status != http.StatusAccepted || late.got.Status != "completed" {
		t.Errorf("answer %+v", late)
	}
}

func TestACallerWhoGoesAwayIsLinkedAllTheSame(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	b := h.begin()
	b.take(agreed)
	release := h.Provider.Hold()
	ctx, hangUp := context.WithCancel(t.Context())
	body := `{"version":` + strconv.FormatInt(b.stored().Version, 10) + `,"fields":{"username":"ada","password":"` + latchtest.Password + `"}}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL+"/v2/link/"+b.Secret()+"/submit", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("apikey", h.Trial.APIKey)
	request.Header.Set("Content-Type", "application/json")
	gone := make(chan error)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			_ = response.Body.Close()
		}
		gone <- err
	}()
	latchtest.Eventually(t, "the login arrives", func() bool { return h.Provider.Logins() == 1 })
	hangUp()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Fatalf("the caller got an answer: %v", err)
	}
	release()
	latchtest.Eventually(t, "the session is completed", func() bool { return b.stored().State == latchkey.StateCompleted })
}

func TestDoubleClicksHappenOnce(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		b := h.begin()
		for _, step := range []struct {
			fields map[string]string
			logins int
		}{{agreed, 0}, {credentials("otp-ada"), 1}, {map[string]string{"code": latchtest.Code}, 1}} {
			version := b.stored().Version
			var taken, refused atomic.Int32
			var clicks sync.WaitGroup
			for range 8 {
				clicks.Go(func() {
					switch status, got := b.send(submission{Version: version, Fields: step.fields}); status {
					case http.StatusAccepted:
						taken.Add(1)
					case http.StatusConflict:
						refused.Add(1)
					default:
						t.Errorf("answer %d: %+v", status, got)
					}
				})
			}
			clicks.Wait()
			if taken.Load() != 1 || refused.Load() != 7 || h.Provider.Logins() != step.logins {
				t.Fatalf("%d taken, %d refused, %d logins, want 1, 7 and %d", taken.Load(), refused.Load(), h.Provider.Logins(), step.logins)
			}
		}
		if consents := b.consents(); consents != 1 || len(h.Connections()) != 1 {
			t.Errorf("%d consents and %d connections, want one each", consents, len(h.Connections()))
		}
	})
}

func TestTheAttemptsAreCounted(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	t.Run("of a password, also over a way back and an outage", func(t *testing.T) {
		b, logins := h.begin(), h.Provider.Logins()
		b.take(agreed)
		wrong := map[string]string{"username": "ada", "password": "wrong"}
		b.take(wrong)
		b.send(submission{Version: b.stored().Version, Action: "back"})
		b.take(agreed)
		h.Provider.Down(true)
		if got := b.take(wrong); got.Data.Step.Refused != "provider_unavailable" {
			t.Errorf("while the provider is down: %+v", got)
		}
		h.Provider.Down(false)
		b.take(wrong)
		b.take(wrong)
		if got := b.take(wrong); got.Status != "failed" || got.Data.ErrorCode != "too_many_attempts" {
			t.Errorf("after five attempts: %+v", got)
		}
		if status, _ := b.send(submission{Version: b.stored().Version, Fields: credentials("ada")}); status != http.StatusConflict {
			t.Errorf("a sixth attempt is answered %d", status)
		}
		if got := h.Provider.Logins() - logins; got != 4 {
			t.Errorf("%d logins upstream, want 4", got)
		}
	})
	t.Run("of a code, anew", func(t *testing.T) {
		b := h.begin()
		b.take(agreed)
		for range 4 {
			b.take(map[string]string{"username": "otp-ada", "password": "wrong"})
		}
		if got := b.take(credentials("otp-ada")); got.Data.Step.Name != "2fa" {
			t.Fatalf("the last attempt: %+v", got)
		}
		for range 4 {
			if got := b.take(map[string]string{"code": "000000"}); got.Status != "awaiting_2fa" {
				t.Fatalf("a wrong code: %+v", got)
			}
		}
		if got := b.take(map[string]string{"code": "000000"}); got.Status != "failed" || got.Data.ErrorCode != "2fa_failed" {
			t.Errorf("after five codes: %+v", got)
		}
	})
	t.Run("and an outage that outlasts them ends the session", func(t *testing.T) {
		b := h.begin()
		b.take(agreed)
		h.Provider.Down(true)
		defer h.Provider.Down(false)
		var got answered
		for range 5 {
			got = b.take(credentials("ada"))
		}
		if got.Status != "failed" || got.Data.ErrorCode != "provider_unavailable" {
			t.Errorf("after five attempts: %+v", got)
		}
	})
}

func TestSessionsExpire(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	sink := latchtest.NewSink(t)
	h.Listen(sink, "link.session.expired", "link.session.completed")
	looked, submitted, swept := h.begin(), h.begin(), h.begin()
	swept.take(agreed)
	done := h.begin()
	done.login("ada")
	version := swept.stored().Version
	h.Clock.Move(30*time.Minute - time.Second)
	if got := looked.stored(); got.State != latchkey.StateAuthorization {
		t.Fatalf("session %s", got.State)
	}
	if got := latchtest.Decode[answered](h.Server, h.Call("GET", "/v2/link/"+looked.Secret(), nil)); got.Status != "initialized" {
		t.Errorf("a second before its end: %+v", got)
	}
	h.Clock.Move(2 * time.Second)
	if got := latchtest.Decode[answered](h.Server, h.Call("GET", "/v2/link/"+looked.Secret(), nil)); got.Data.ErrorCode != "session_expired" {
		t.Errorf("after its end: %+v", got)
	}
	if got := looked.stored(); got.State != latchkey.StateAuthorization {
		t.Errorf("looking at it wrote %s", got.State)
	}
	for range 2 {
		status, got := submitted.send(submission{Version: 1, Fields: agreed})
		if status != http.StatusConflict || got.Current == nil || got.Current.Data.ErrorCode != "session_expired" {
			t.Errorf("a submission after the end: %d %+v", status, got)
		}
	}
	if got := submitted.stored(); got.State != latchkey.StateExpired || got.Version != 2 {
		t.Errorf("session %s at version %d, want expired at 2", got.State, got.Version)
	}
	h.App.Start(t.Context())
	latchtest.Eventually(t, "the sweep ends the others", func() bool {
		return looked.stored().State == latchkey.StateExpired && swept.stored().State == latchkey.StateExpired
	})
	if got := swept.stored(); got.Version != version+1 || got.Flow != nil || got.Progress.Step != latchkey.StateLogin ||
		got.Progress.Failure != latchkey.FailureSessionExpired || got.Progress.Prompt.Fields != nil {
		t.Errorf("swept at version %d: %+v", got.Version, got.Progress)
	}
	latchtest.Eventually(t, "three are told of", func() bool { return len(sink.Hooks()) == 4 })
	got := types(sink)
	slices.Sort(got)
	want := []string{"link.session.completed", "link.session.expired", "link.session.expired", "link.session.expired"}
	if !slices.Equal(got, want) || done.stored().State != latchkey.StateCompleted {
		t.Errorf("events %v, want %v", got, want)
	}
}

func TestATryOutlivesTheEndOfItsSession(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	b := h.begin()
	h.Clock.Move(30*time.Minute - 5*time.Second)
	release, answer := b.hang("ada")
	h.Clock.Move(10 * time.Second)
	if got := latchtest.Decode[answered](h.Server, h.Call("GET", "/v2/link/"+b.Secret(), nil)); got.Status != "pending" {
		t.Errorf("while it is being tried: %+v", got)
	}
	release()
	if got := <-answer; got.got.Status != "completed" {
		t.Errorf("answer %+v", got)
	}
}
