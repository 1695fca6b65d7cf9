package api

import (
	"net/http"
	"sync"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/web"
)

// rememberedAnswers bounds how many answers are remembered; when there are more
// all are forgotten.
const rememberedAnswers = 2048

// statusAnswers are the encoded answers that tell how sessions stand. An app
// asks many times for once that something changes, and then it is another
// answer: a session has another version, or time has made another state of it.
type statusAnswers struct {
	mu    sync.RWMutex
	known map[statusKey][]byte
}

// statusKey is all that an answer depends on.
type statusKey struct {
	id      string
	version int64
	state   latchkey.State
}

func newStatusAnswers() *statusAnswers { return &statusAnswers{known: map[statusKey][]byte{}} }

// isRemembered reports whether the answer about a session may be remembered.
// One that has ended may tell who somebody is, and one that the app drives
// itself depends on more than the session.
func isRemembered(session *latchkey.LinkSession) bool {
	return session.Request.Mode == latchkey.ModeHosted && !session.State.Final()
}

// write answers with how a session stands, encoded once.
func (a *statusAnswers) write(w http.ResponseWriter, session *latchkey.LinkSession) error {
	key := statusKey{session.ID, session.Version, session.State}
	a.mu.RLock()
	encoded, ok := a.known[key]
	a.mu.RUnlock()
	if !ok {
		var err error
		if encoded, err = json.Marshal(sessionOf(session)); err != nil {
			return err
		}
		a.mu.Lock()
		if len(a.known) >= rememberedAnswers {
			clear(a.known)
		}
		a.known[key] = encoded
		a.mu.Unlock()
	}
	web.WriteEncoded(w, http.StatusOK, encoded)
	return nil
}
