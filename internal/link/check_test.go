package link_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
)

func TestALiveConnectionIsAskedAfterInItsTurn(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		w := newWatch(t, options, 1)
		connection := w.imported("ada")
		before := w.look(connection)
		for range 3 {
			if due := w.turn(0); due != 0 {
				t.Fatalf("%d are due at once", due)
			}
			w.move(53 * time.Minute) // less than the interval, though it is jittered
			if due := w.turn(0); due != 0 {
				t.Fatalf("%d are due early", due)
			}
			w.move(13 * time.Minute)
			if due := w.turn(0); due != 1 {
				t.Fatalf("%d are due in their turn", due)
			}
			after := w.look(connection)
			if after.LastCheckedAt == nil || *after.LastCheckedAt != latchkey.FormatTime(w.Clock.Now()) ||
				after.Status != "active" || after.UpdatedAt != before.UpdatedAt {
				t.Errorf("after a check it is %+v", after)
			}
		}
		if told := w.told(connection); !slices.Equal(told, []latchkey.EventType{latchkey.EventConnectionCreated}) {
			t.Errorf("the app was told %v", told)
		}
		if got := w.purposes(connection)[`{"purpose":"check","provider":"watched"} by latchkey`] +
			w.purposes(connection)[`{"provider":"watched","purpose":"check"} by latchkey`]; got != 3 {
			t.Errorf("%d records of three checks: %v", got, w.purposes(connection))
		}
	})
}

func TestWhatIsDeadExpiresWithItsReason(t *testing.T) {
	for reason, can := range map[string]bool{
		connector.DeadSession: true, connector.DeadRevoked: true, connector.DeadPassword: true, connector.DeadBlocked: false,
	} {
		t.Run(reason, func(t *testing.T) {
			w := newWatch(t, latchtest.Options{}, 1)
			connection := w.imported("ada")
			w.provider.say(fmt.Errorf("ask: %w", &connector.Dead{Reason: reason}))
			w.move(2 * time.Hour)
			w.turn(0)
			after := w.look(connection)
			if after.Status != "expired" || after.Expiry == nil || after.Expiry.Reason != reason || after.Expiry.CanReauth != can {
				t.Fatalf("it is %+v", after)
			}
			want := []latchkey.EventType{latchkey.EventConnectionCreated, latchkey.EventConnectionExpired}
			if told := w.told(connection); !slices.Equal(told, want) {
				t.Errorf("the app was told %v", told)
			}
			if body := w.body(connection); !strings.Contains(body, fmt.Sprintf(`"expiry":{"reason":%q,"canReauth":%t`, reason, can)) {
				t.Errorf("the event says %s", body)
			}
			if body := w.body(connection); strings.Contains(body, "reconnectUrl") != can {
				t.Errorf("the event says %s", body)
			}
			w.move(100 * time.Hour)
			if due := w.turn(0); due != 0 {
				t.Errorf("%d dead ones are due", due)
			}
		})
	}
}

func TestAnyOtherAnswerLeavesItAliveAndIsAskedAgainEverLater(t *testing.T) {
	w := newWatch(t, latchtest.Options{}, 1)
	connection := w.imported("ada")
	w.provider.say(errors.New("gateway timeout"))
	w.move(2 * time.Hour)
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		if due := w.turn(0); due != 1 {
			t.Fatalf("%d are due", due)
		}
		w.move(wait*time.Minute - wait*time.Minute/8)
		if due := w.turn(0); due != 0 {
			t.Errorf("it is asked again before %v min", wait)
		}
		w.move(wait * time.Minute / 4)
	}
	if after := w.look(connection); after.Status != "active" || after.LastCheckedAt == nil || *after.LastCheckedAt != "2026-11-24T10:00:00.000Z" {
		t.Errorf("it is %+v", after) // as the import left it
	}
	w.provider.say(nil)
	w.turn(0)
	w.move(59 * time.Minute / 2)
	if due := w.turn(0); due != 0 {
		t.Error("a success did not bring back the usual interval")
	}
}

func TestSeveralReplicasCheckEachConnectionOnce(t *testing.T) {
	const count = 30
	w := newWatch(t, latchtest.Options{DatabaseURL: latchtest.NewPostgres(t)}, 3)
	w.provider.perMinute = 6000
	for i := range count {
		w.imported(fmt.Sprint("user", i))
	}
	w.move(2 * time.Hour)
	var replicas sync.WaitGroup
	for i := range w.replicas {
		replicas.Go(func() { w.turn(i) })
	}
	replicas.Wait()
	for i := range w.replicas { // what was passed by since others had it
		w.turn(i)
	}
	if all, twice := w.provider.checks(); all != count || twice != 0 {
		t.Errorf("%d checks of %d connections, %d were checked twice", all, count, twice)
	}
}

func TestAReplicaKeepsToTheBudgetOfAProvider(t *testing.T) {
	w := newWatch(t, latchtest.Options{}, 1)
	w.provider.perMinute = 24
	for i := range 60 {
		w.imported(fmt.Sprint("user", i))
	}
	w.move(2 * time.Hour)
	for minute := range 2 {
		before, _ := w.provider.checks()
		for range 12 {
			w.turn(0)
			w.move(5 * time.Second)
		}
		after, _ := w.provider.checks()
		if asked := after - before; asked < 20 || asked > 26 {
			t.Errorf("minute %d: %d were asked after, with a budget of 24", minute, asked)
		}
	}
}

func TestAChangeMeanwhileDisturbsNoCheckAndNoCheckDisturbsIt(t *testing.T) {
	w := newWatch(t, latchtest.Options{}, 1)
	connection := w.imported("ada")
	w.move(2 * time.Hour)
	due, err := w.App.Links().ClaimChecks(t.Context(), 10)
	if err != nil || len(due) != 1 {
		t.Fatalf("%d are due, %v", len(due), err)
	}
	settings := "/v2/account/connections/" + connection + "/settings"
	w.Want(http.StatusOK, "PATCH", settings, map[string]any{"metadata": map[string]string{"a": "b"}})
	w.App.Links().CheckConnection(t.Context(), due[0])
	if w.look(connection).LastCheckedAt == nil {
		t.Error("the check was lost")
	}
	w.Want(http.StatusOK, "PATCH", settings, map[string]any{"metadata": map[string]string{"a": "c"}})
	w.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+connection, nil)
	w.App.Links().CheckConnection(t.Context(), due[0]) // late
	if told := w.told(connection); told[len(told)-1] != latchkey.EventConnectionDisconnected {
		t.Errorf("the app was told %v", told)
	}
}

func TestAnAppIsWarnedOnceBeforeAKnownEndWhichThenComesByItself(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		w := newWatch(t, options, 1)
		w.provider.life = 30 * 24 * time.Hour
		connection := w.imported("ada")
		w.provider.life = 59 * time.Minute
		short := w.imported("bob")
		warn := func(want ...latchkey.EventType) {
			t.Helper()
			for range 2 {
				if _, err := w.App.Links().WarnExpiring(t.Context(), 10); err != nil {
					t.Fatal(err)
				}
			}
			if told := w.told(connection)[1:]; !slices.Equal(told, want) {
				t.Fatalf("the app was told %v, want %v", told, want)
			}
		}
		w.move(27*24*time.Hour - time.Second)
		warn()
		w.move(time.Second)
		warn(latchkey.EventConnectionExpiring)
		if body := w.body(connection); !strings.Contains(body, `"status":"active","expiresAt":"2026-12-24T10:00:00.000Z","expiry":{"reason":"session_expired","canReauth":true,"reconnectUrl":"`) {
			t.Errorf("the warning says %s", body)
		}
		w.move(3*24*time.Hour - time.Second)
		w.turn(0)
		warn(latchkey.EventConnectionExpiring)
		w.move(time.Second)
		w.turn(0)
		warn(latchkey.EventConnectionExpiring, latchkey.EventConnectionExpired)
		if told := w.told(short); !slices.Equal(told, []latchkey.EventType{latchkey.EventConnectionCreated, latchkey.EventConnectionExpired}) {
			t.Errorf("of a short life the app was told %v", told)
		}
	})
}
