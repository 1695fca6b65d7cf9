package simtest

import (
	"fmt"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// The size of the world.
const (
	replicas      = 3
	organisations = 2
	people        = 3                 // of each organisation
	window        = 120 * time.Second // in which things happen
	maxSkew       = 8 * time.Second   // of a replica's clock
)

// kind is what an act is.
type kind string

// What people and apps do.
const (
	visit      kind = "visit"      // a person walks through a link
	calls      kind = "calls"      // an app calls the provider through the proxy
	disconnect kind = "disconnect" // an app ends a connection
	invalidate kind = "invalidate" // an app expires a connection
	revokeKey  kind = "revoke key" // an operator ends an organisation's second key
)

// What breaks.
const (
	crash     kind = "crash"     // a replica dies and comes back without its memory
	stall     kind = "stall"     // a replica stands still
	cut       kind = "cut"       // a replica reaches nobody outside
	bankDown  kind = "bank down" // the provider answers 503
	sinkBad   kind = "sink bad"  // an organisation's receiver fails
	slowStore kind = "bad store" // a replica's database is slow and loses calls and answers
	clockStep kind = "clock"     // a replica's clock jumps
)

// act is one thing that happens.
type act struct {
	Kind         kind
	At           time.Duration // after the beginning
	Replica      int
	Organisation int // who acts
	Whose        int // whose the connection is that the act is about
	Which        int // the person, or the connection among its organisation's
	How          int // the temper of a person, the size of a burst, the way a sink fails
	For          time.Duration
}

// String names the act in the tale of a failure.
func (a act) String() string {
	return fmt.Sprintf("%7.3fs %s replica=%d organisation=%d whose=%d which=%d how=%d for=%v",
		a.At.Seconds(), a.Kind, a.Replica, a.Organisation, a.Whose, a.Which, a.How, a.For)
}

// scenario is all that a seed decides.
type scenario struct {
	Noise uint64 // of latencies and losses
	Loss  int    // of the network, in thousandths
	Skews [replicas]time.Duration
	Acts  []act
}

// String tells the scenario.
func (s scenario) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "noise %d, loss %d‰, clocks %v", s.Noise, s.Loss, s.Skews)
	for _, act := range s.Acts {
		text.WriteString("\n\t" + act.String())
	}
	return text.String()
}

// kinds says how often each act happens, by repetition.
var kinds = []kind{
	calls, calls, visit, stall, crash, disconnect, calls, calls, visit, slowStore, sinkBad, calls, calls, cut, invalidate,
	crash, calls, revokeKey, stall, bankDown, clockStep, calls, sinkBad, calls, visit, stall, slowStore, calls, crash, calls,
	disconnect, calls,
}

// acts draws one thing that happens.
var acts = rapid.Custom(func(t *rapid.T) act {
	a := act{
		Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
		At:   share(t, "at", window), Replica: rapid.IntRange(0, replicas-1).Draw(t, "replica"),
		Organisation: rapid.IntRange(0, organisations-1).Draw(t, "organisation"),
		Which:        rapid.IntRange(0, people-1).Draw(t, "which"), How: rapid.IntRange(0, 9).Draw(t, "how"),
	}
	a.Whose = a.Organisation
	if rapid.IntRange(0, 5).Draw(t, "stranger") == 5 {
		a.Whose = 1 - a.Organisation
	}
	longest := 20 * time.Second
	if a.Kind == stall {
		longest = 75 * time.Second // longer than every lease
	}
	a.For = share(t, "for", longest)
	return a
})

// share draws a part of a time. Large numbers that are drawn at once are mostly
// small; put together from small ones they are spread evenly, and still shrink.
func share(t *rapid.T, label string, whole time.Duration) time.Duration {
	number := 0
	for range shareDigits {
		number = number*4 + rapid.IntRange(0, 3).Draw(t, label)
	}
	return whole * time.Duration(number) / (1 << (2 * shareDigits))
}

// shareDigits are the digits of a share, to the base of four.
const shareDigits = 5

// scenarios draws what a seed decides. Each organisation has a person who walks
// straight through at the beginning, so that there is something to lose.
var scenarios = rapid.Custom(func(t *rapid.T) scenario {
	s := scenario{
		Noise: rapid.Uint64().Draw(t, "noise"), Loss: rapid.SampledFrom([]int{0, 0, 5, 30}).Draw(t, "loss"),
		Acts: rapid.SliceOfN(acts, 6, 20).Draw(t, "acts"),
	}
	for i := range s.Skews {
		s.Skews[i] = rapid.SampledFrom([]time.Duration{0, 0, -1, 1}).Draw(t, "skew") * share(t, "by", maxSkew)
	}
	for i := range organisations {
		s.Acts = append(s.Acts, act{Kind: visit, At: time.Duration(i) * 100 * time.Millisecond, Replica: i, Organisation: i, Whose: i})
	}
	return s
})
