package store

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// knownSession is a session as it was read, or as it was written for the first time
// or over one that was read: then it is decoded when somebody asks for it.
type knownSession struct {
	decoded atomic.Pointer[latchkey.LinkSession] // nil: nobody has asked since it was written, or that failed

	mu     sync.Mutex
	before *latchkey.LinkSession // what was written over; nil: it was written for the first time
	row    *sessionRow           // that was written; nil: it is decoded, or was read
	failed error
}

func newKnownSession(session *latchkey.LinkSession) *knownSession {
	kept, known := *session, &knownSession{}
	known.decoded.Store(&kept)
	return known
}

// load returns a copy. What it points to is shared.
func (k *knownSession) load() (*latchkey.LinkSession, error) {
	decoded := k.decoded.Load()
	if decoded == nil {
		var err error
		if decoded, err = k.decode(); err != nil {
			return nil, err
		}
	}
	session := *decoded
	return &session, nil
}

// decode reads the row that was written, once.
func (k *knownSession) decode() (*latchkey.LinkSession, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.row != nil {
		var session *latchkey.LinkSession
		if k.before == nil {
			session, k.failed = k.row.whole()
		} else {
			session, k.failed = k.row.over(k.before)
		}
		if k.failed == nil {
			k.decoded.Store(session)
		}
		k.before, k.row = nil, nil
	}
	return k.decoded.Load(), k.failed
}

// after is what becomes of a session when the row is written over it. One that
// nobody has looked at since it was last written is not kept.
func (r *sessionRow) after(before *knownSession) (*knownSession, bool) {
	decoded := before.decoded.Load()
	if decoded == nil {
		return nil, false
	}
	return &knownSession{before: decoded, row: r.detached()}, true
}

// detached returns a copy with bytes of its own: whose they are may change them when
// the fact is answered.
func (r *sessionRow) detached() *sessionRow {
	row := *r
	if row.flow = nil; len(r.flow) > 0 { // no bytes are read as none
		row.flow = bytes.Clone(r.flow)
	}
	return &row
}

// over returns the session with what the row has written over it: the columns of
// advanceStatement.
func (r *sessionRow) over(before *latchkey.LinkSession) (*latchkey.LinkSession, error) {
	session := *before
	session.Progress = latchkey.SessionProgress{}
	if err := json.Unmarshal([]byte(r.progress), &session.Progress); err != nil {
		return nil, fmt.Errorf("decode session %s: %w", r.id, err)
	}
	session.State, session.Version, session.Flow = latchkey.State(r.state), r.version, r.flow
	session.LeaseUntil, session.UpdatedAt, session.ExpiresAt = moment(r.leaseUntil), moment(r.updatedAt), moment(r.expiresAt)
	return &session, nil
}
