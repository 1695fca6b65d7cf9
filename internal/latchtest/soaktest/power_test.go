package soaktest

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"latchkey/internal/latchtest/scaletest"
)

// A kill leaves what only the page cache has; a power cut does not. The disk
// is put together again from what the process wrote and synced.
func TestNothingAcknowledgedIsLostInAPowerCut(t *testing.T) {
	t.Parallel()
	cuts, runs := scaletest.Of(8, 20), scaletest.Of(1, 5)
	folder := t.TempDir()
	data := filepath.Join(folder, "data")
	s := newServer(t, data)
	lost, damaged, dropped, stakes := 0, 0, 0, 0
	for run := range runs {
		s.start() // what a first start makes is no part of it
		s.signal(syscall.SIGTERM)
		if _, err := s.wait(patience); err != nil {
			t.Fatal(err)
		}
		base := readFiles(t, data)
		prefix := filepath.Join(folder, fmt.Sprint("trace", run))
		s.wrapper = tracing(prefix)
		s.start()
		began := time.Now()
		a := &app{replicas: []*server{s}, ledger: newLedger()}
		users := a.begin(t, 4, 50*time.Millisecond)
		a.await(t, 60)
		users.end()
		ended := time.Now()
		s.kill()
		s.wrapper = nil
		p := platterOf(t, prefix, base)
		for range cuts {
			moment := began.Add(time.Duration(rand.Int64N(int64(ended.Sub(began)))))
			files := p.cut(moment)
			dropped += p.unsynced(moment)
			for _, what := range a.after(s, data, files, moment) {
				lost++
				t.Error(what)
			}
			if !checkIntegrity(t, filepath.Join(data, "latchkey.db")) {
				damaged++
			}
		}
		// What is lost is seen: this disk is as it was before all of it.
		if len(a.after(s, data, p.cut(began), ended)) == 0 {
			t.Error("the check finds on an empty disk all that was acknowledged")
		}
		writes, _, _, _, _ := a.ledger.counts()
		stakes += writes
	}
	fmt.Printf("RESULT D-2.lost %d 0\n", lost)
	fmt.Printf("RESULT D-2.damaged %d 0\n", damaged)
	fmt.Printf("RESULT D-2.cuts %d %d\n", cuts*runs, cuts*runs)
	fmt.Printf("soak: D-2: %d writes acknowledged, %d unsynced writes at the cuts\n", stakes, dropped)
	if stakes < 60*runs {
		t.Errorf("only %d writes were at stake", stakes)
	}
}

// after starts the server on the files, asks for what was acknowledged before
// the moment, and returns what is lost.
func (a *app) after(s *server, data string, files map[string][]byte, moment time.Time) []string {
	s.Helper()
	writeFiles(s, data, files)
	s.start()
	defer s.kill()
	defer a.ledger.forgetUses()
	return a.ledger.check(s, moment, true)
}

// unsynced counts the writes that no fsync had reached by the moment.
func (p *platter) unsynced(moment time.Time) (n int) {
	loose := map[string]int{}
	for _, o := range p.orders {
		switch {
		case o.began.After(moment):
		case o.kind == write:
			loose[o.path]++
		case o.kind == flush && o.ended.Before(moment):
			loose[o.path] = 0
		}
	}
	for _, each := range loose {
		n += each
	}
	return n
}

// A rig that drops too little proves nothing: without the fsyncs, what was
// acknowledged must be seen to be lost.
func TestThePowerCutDropsWhatWasNotSynced(t *testing.T) {
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	p := &platter{base: map[string][]byte{"f": []byte("base")}}
	for i := range 200 {
		p.orders = append(p.orders, order{began: at(i), ended: at(i), path: "f", kind: write, data: []byte{byte(1 + i)}, at: int64(i)})
		if i == 99 {
			p.orders = append(p.orders, order{began: at(i).Add(1), ended: at(i).Add(2), path: "f", kind: flush})
		}
	}
	file := p.cut(at(150))["f"]
	kept := 0
	for i, got := range file {
		switch {
		case i < 100 && got != byte(1+i):
			t.Errorf("byte %d was synced and is %d", i, got)
		case i > 150:
			t.Errorf("byte %d was written after the cut", i)
		case i >= 100 && got != 0:
			kept++
		}
	}
	if kept == 0 || kept > 50 {
		t.Errorf("%d of 51 unsynced bytes are there", kept)
	}
	if n := p.unsynced(at(150)); n != 51 {
		t.Errorf("%d writes count as unsynced", n)
	}
}
