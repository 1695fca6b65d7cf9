package simtest

import (
	"context"
	"fmt"
	"time"

	"latchkey"
)

// invariant is what must hold whatever happens.
type invariant string

// The six.
const (
	consentFirst invariant = "I1 no credential without consent"
	deadIsDead   invariant = "I2 no access after revoke"
	inOrder      invariant = "I3 order per connection"
	acksLast     invariant = "I4 every acknowledgement is durable"
	oneRefresh   invariant = "I5 one refresh"
	tenantsApart invariant = "I6 tenants are apart"
)

// comesToRest is what must hold of the simulated world itself: no goroutine is
// left that waits for nothing.
const comesToRest invariant = "the world comes to rest"

// aftermath is how long what was revoked may still work.
const aftermath = time.Second

// violation is how an invariant was broken.
type violation struct {
	invariant invariant
	at        time.Duration // after the beginning
	text      string
}

// Error tells the violation.
func (v *violation) Error() string { return fmt.Sprintf("%s: at %v %s", v.invariant, v.at, v.text) }

// violated keeps the first violation.
func (w *world) violated(broken invariant, format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.violation == nil {
		w.violation = &violation{broken, time.Since(w.began), fmt.Sprintf(format, args...)}
	}
}

// consented reports whether a session has a record of consent on disk.
func (w *world) consented(session string) bool {
	owner := w.ownerOf(session)
	if owner == "" {
		return false
	}
	var records []latchkey.AuditRecord
	var err error
	w.database.do(func() { records, err = w.database.store.AuditOf(context.Background(), owner, session) })
	for _, record := range records {
		if record.Action == latchkey.AuditConsent {
			return err == nil
		}
	}
	return false
}

// judge holds a call that has reached the bank, with the credential of the
// username, against what its caller may.
func (w *world) judge(number int, username string) {
	w.journal.mu.Lock()
	call := *w.journal.calls[number]
	connection := *call.connection
	w.journal.mu.Unlock()
	if call.by != connection.owner {
		w.violated(tenantsApart, "%s got through to %s of %s", call.by.name, connection.id, connection.owner.name)
	}
	if username != "" && username != connection.username {
		w.violated(tenantsApart, "a call of %s, who is %s, went out as %s", connection.id, connection.username, username)
	}
	if ended := connection.endedAt; !ended.IsZero() && call.began.After(ended.Add(aftermath)) {
		w.violated(deadIsDead, "%s was called %v after its end", connection.id, call.began.Sub(ended))
	}
	if revoked := call.by.secondRevoked(); call.second && !revoked.IsZero() && call.began.After(revoked.Add(aftermath)) {
		w.violated(deadIsDead, "the second key of %s was used %v after its end", call.by.name, call.began.Sub(revoked))
	}
}

// judgeEnd holds what is in the database at the end against what was
// acknowledged.
func (w *world) judgeEnd() {
	ctx := context.Background()
	w.database.do(func() {
		for _, v := range w.journal.sessions {
			w.judgeSession(ctx, v)
		}
		for _, connection := range w.journal.connections {
			w.judgeConnection(ctx, connection)
		}
		for _, organisation := range w.organisations {
			w.judgeEvents(ctx, organisation)
			if _, err := w.database.store.VerifyAudit(ctx, organisation.id); err != nil {
				w.violated(acksLast, "the audit of %s is broken: %v", organisation.name, err)
			}
		}
	})
}

func (w *world) judgeSession(ctx context.Context, v *visited) {
	session, err := w.database.store.LinkSessionBySecret(ctx, latchkey.HashClientSecret(v.secret))
	switch {
	case err != nil:
		w.violated(acksLast, "session %s is lost: %v", v.id, err)
	case session.Version < v.version:
		w.violated(acksLast, "session %s is back at version %d, %d was acknowledged", v.id, session.Version, v.version)
	case v.connection != "" && session.Progress.ConnectionID != v.connection:
		w.violated(acksLast, "session %s is %s, it was completed in %s", v.id, session.State, v.connection)
	}
}

func (w *world) judgeConnection(ctx context.Context, linked *linked) {
	connection, err := w.database.store.Connection(ctx, linked.owner.id, latchkey.Sandbox, linked.id)
	exists := err == nil && connection.Status == latchkey.ConnectionActive
	switch {
	case !linked.endedAt.IsZero() && exists:
		w.violated(acksLast, "%s is alive, its end was acknowledged", linked.id)
	case linked.alive && !exists:
		w.violated(acksLast, "%s was linked and is lost: %v", linked.id, err)
	}
	if !linked.alive && w.bank.isLive(linked.session) {
		w.violated(acksLast, "%s has ended and its login at the bank never was", linked.id)
	}
}

func (w *world) judgeEvents(ctx context.Context, organisation *organisation) {
	stored := map[string]bool{}
	page, err := w.database.store.EventsAfter(ctx, organisation.id, latchkey.Sandbox, 0, 1000)
	if err != nil {
		w.violated(acksLast, "the events of %s can't be read: %v", organisation.name, err)
	}
	for _, event := range page.Events {
		stored[event.ID] = true
		if !w.sink.has(event.Subject, event.Sequence) {
			w.violated(acksLast, "event %d of %s was never delivered", event.Sequence, event.Subject)
		}
	}
	for id, event := range w.journal.events {
		if event.OrganisationID == organisation.id && !stored[id] {
			w.violated(acksLast, "event %d of %s is lost", event.Sequence, event.Subject)
		}
	}
}
