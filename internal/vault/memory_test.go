package vault

import (
	"strconv"
	"testing"
	"time"
)

func TestTheMemoryOfUsesIsBoundedAndTrustsNoClockThatGoesBack(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	recent := newRecentUses()
	one := use{actor: "key_1", connection: "conn_1", purpose: PurposeProxy}
	recent.remember(one, now)
	for after, want := range map[time.Duration]bool{0: true, 59 * time.Second: true, time.Minute: false, -time.Second: false} {
		if got := recent.recorded(one, now.Add(after)); got != want {
			t.Errorf("after %v: recorded is %v, want %v", after, got, want)
		}
	}
	for i := range 2*rememberedUses + 1 {
		recent.remember(use{actor: "key_1", connection: strconv.Itoa(i)}, now)
		if len(recent.seen) > rememberedUses {
			t.Fatalf("%d uses are remembered", len(recent.seen))
		}
	}
	if recent.recorded(one, now) {
		t.Error("a use that was forgotten counts as recorded")
	}
}
