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
	decoded atomic.Pointer[latchkey.LinkSession] // the session, for all who ask after the first

	mu      sync.Mutex
	session *latchkey.LinkSession // nil: it was written for the first time
	row     *sessionRow           // that was written; nil: none, or it is decoded
	failed  error
}

func newKnownSession(session *latchkey.LinkSession) *knownSession {
	kept := *session
	known := &knownSession{session: &kept}
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

// decode reads the row that was written.
func (k *knownSession) decode() (*latchkey.LinkSession, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.row != nil {
		if k.session == nil {
			k.session, k.failed = k.row.whole()
		} else {
			k.session, k.failed = k.row.over(k.session)
		}
		k.row = nil
	}
	if k.failed != nil {
		return nil, k.failed
	}
	k.decoded.Store(k.session)
	return k.session, nil
}

// after is what becomes of a session when the row is written over it. One that
// nobody has looked at since it was last written is not kept.
func (r *sessionRow) after(before *knownSession) (*knownSession, bool) {
	before.mu.Lock()
	defer before.mu.Unlock()
	if before.row != nil || before.failed != nil {
		return nil, false
	}
	return &knownSession{session: before.session, row: r.detached()}, true
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
