package simtest

import "time"

// downAtLeast is how long a crashed replica takes to come back.
const downAtLeast = time.Second

// traps are the calls after which a replica stands still at the worst moment.
var traps = []string{"LeaseRefresh", "LeaseRefresh", "AdvanceLinkSession", "ClaimDeliveries", "RefreshCredential", "Revocation"}

// trouble breaks something for a while.
func (w *world) trouble(a act) {
	w.noted(a)
	if a.Kind == crash {
		w.crash(w.places[a.Replica], a.For)
		return
	}
	if a.Kind == bankDown {
		w.bank.mu.Lock()
		defer w.bank.mu.Unlock()
		w.bank.downUntil = until(w.bank.downUntil, a.For)
		return
	}
	if a.Kind == sinkBad {
		w.sink.mu.Lock()
		defer w.sink.mu.Unlock()
		w.sink.bad[a.Organisation] = badness{until: time.Now().Add(a.For), how: a.How % ways}
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	place := w.places[a.Replica]
	switch a.Kind {
	case stall:
		if a.How < len(traps) {
			place.trap, place.trapFor = traps[a.How], a.For
			return
		}
		place.stalledUntil, place.upsetAt = until(place.stalledUntil, a.For), time.Now()
	case cut:
		place.cutUntil = until(place.cutUntil, a.For)
	case slowStore:
		place.badUntil = until(place.badUntil, a.For)
	case clockStep:
		place.skew = time.Duration(a.How-5) * maxSkew / 5
	}
}

// crash ends a replica: its memory is gone, its background begins nothing new,
// and whatever it still does reaches neither the database nor the network. What
// it had committed stays. After a while it is started again.
func (w *world) crash(place *place, down time.Duration) {
	w.mu.Lock()
	crashed := place.running
	place.running, place.upsetAt = nil, time.Now()
	w.mu.Unlock()
	if crashed == nil {
		return // it was down already, and somebody else starts it
	}
	crashed.end()
	w.unwritten.forget(crashed)
	pass(downAtLeast + down)
	w.start(place)
}

// heal ends every trouble.
func (w *world) heal() {
	now := time.Now()
	w.bank.mu.Lock()
	w.bank.downUntil = now
	w.bank.mu.Unlock()
	w.sink.mu.Lock()
	w.sink.bad = [organisations]badness{}
	w.sink.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.loss.Store(0)
	for _, place := range w.places {
		place.stalledUntil, place.cutUntil, place.badUntil, place.trap = now, now, now, ""
	}
}
