package main

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"
)

// suite is a row's hold on the server: it calls, opens pages and waits for
// webhooks, and ends the row at the first thing that is not as it should be,
// as testing.T does.
type suite struct {
	*target
	ctx  context.Context
	undo []func() // run backwards when the row has been judged

	mu      sync.Mutex
	verdict verdict
	last    string // the last exchange with the server, without secrets
}

// perform runs do and returns when it has ended, by itself or by failf. That an
// answer had a shape which made do panic is a failure too.
func (s *suite) perform(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if cause := recover(); cause != nil {
				s.rule(failed, fmt.Sprintf("the check could not read the answer: %v", cause))
			}
		}()
		do()
	}()
	<-done
}

// rule writes the verdict down; the first one stands.
func (s *suite) rule(outcome outcome, seen string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.verdict.outcome == passed {
		s.verdict.outcome, s.verdict.seen = outcome, blank(seen)
	}
}

// failf ends the row: the server does not do what the statement says.
func (s *suite) failf(format string, args ...any) {
	seen := fmt.Sprintf(format, args...)
	if last := s.remember(""); last != "" {
		seen += "; last: " + last
	}
	s.rule(failed, seen)
	runtime.Goexit()
}

// remember keeps the last exchange, unless it is empty, and returns it.
func (s *suite) remember(exchange string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if exchange != "" {
		s.last = exchange
	}
	return s.last
}

// leaveOut ends the row: the statement is not about this server.
func (s *suite) leaveOut(reason string) {
	s.rule(notApplicable, reason)
	runtime.Goexit()
}

// together asks the same of the server several times at once.
func (s *suite) together(many int, ask func(i int) answer) []answer {
	answers := make([]answer, many)
	var asking sync.WaitGroup
	for i := range answers {
		asking.Go(func() { answers[i] = ask(i) })
	}
	asking.Wait()
	for _, got := range answers {
		if got.s == nil { // its verdict is written down
			runtime.Goexit()
		}
	}
	return answers
}

// later has something undone when the row has been judged.
func (s *suite) later(undo func()) { s.undo = append(s.undo, undo) }

// pollEvery is how often the server is asked while a row waits for something.
const pollEvery = 100 * time.Millisecond

// eventually waits until there is what is waited for, or fails the row.
func (s *suite) eventually(what string, within time.Duration, there func() bool) {
	deadline := time.Now().Add(within)
	for !there() {
		if time.Now().After(deadline) {
			s.failf("%s did not happen within %v", what, within)
		}
		s.pause(pollEvery)
	}
}

// pause waits, or fails the row when its time is over.
func (s *suite) pause(wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
		s.failf("it took too long")
	}
}
