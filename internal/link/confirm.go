package link

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector"
)

// How long a finished login waits for its confirmation, and its code is good.
const (
	confirmLife = 10 * time.Minute
	codeLife    = 60 * time.Second
)

// held is what a finished login leaves in the session until it is confirmed.
// It is sealed like everything a session keeps between steps.
type held struct {
	User      latchkey.UserData `json:"user"`
	Secret    []byte            `json:"secret"`
	ExpiresAt time.Time         `json:"expiresAt,omitzero"`
}

// hold keeps a finished login until the app's backend confirms that the person
// who finished it is the one it began with. There is no connection yet. The
// code is given out in the one answer that follows, and in no other: whoever
// else has the link must not get it.
func (l *Links) hold(ctx context.Context, trial tried, done connector.Done) (*latchkey.LinkSession, error) {
	encoded, err := json.Marshal(held{User: done.User, Secret: done.Credential.Secret, ExpiresAt: done.Credential.ExpiresAt})
	if err != nil {
		return nil, fmt.Errorf("encode the login of %s: %w", trial.ID, err)
	}
	next := l.settled(trial.LinkSession, latchkey.StateConfirm)
	next.Progress.Prompt, next.Progress.Step = latchkey.Prompt{}, ""
	next.ConfirmCode = strings.TrimPrefix(trial.ID, latchkey.PrefixSession) + latchkey.NewSecretID(l.config.Random, "")
	next.Progress.CodeHash = latchkey.HashSecret(next.ConfirmCode)
	next.Progress.CodeEndsAt, next.ExpiresAt = next.UpdatedAt.Add(codeLife), next.UpdatedAt.Add(confirmLife)
	return l.remember(ctx, trial, next, encoded)
}

// The lengths of the two parts of a code: the session's id and the secret.
var (
	codeIDLength = len(latchkey.NewID(zeros{}, ""))
	codeLength   = codeIDLength + len(latchkey.NewSecretID(zeros{}, ""))
)

// zeros is a source for measuring.
type zeros struct{}

// Read fills p with nothing.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// Confirm makes a connection of a finished login: code is the one of the
// redirect, reference that of the caller's user who came back with it. A
// reference other than the session's ends the login: somebody finished a link
// that another began.
func (l *Links) Confirm(ctx context.Context, caller latchkey.Caller, code, reference string) (*latchkey.LinkSession, error) {
	if len(code) != codeLength || !latchkey.ValidID(code[:codeIDLength], "") || !latchkey.ValidID(code[codeIDLength:], "") {
		return nil, badCode()
	}
	id := latchkey.PrefixSession + code[:codeIDLength]
	session, err := l.config.Sessions.LinkSession(ctx, caller.OrganisationID, caller.Environment, id)
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return nil, badCode()
	}
	if err != nil {
		return nil, err
	}
	same := subtle.ConstantTimeCompare([]byte(session.Progress.CodeHash), []byte(latchkey.HashSecret(code))) == 1
	if session.State != latchkey.StateConfirm || !same || !l.config.Now().Before(session.Progress.CodeEndsAt) {
		return nil, badCode()
	}
	if session.AppSuspended {
		return nil, suspended()
	}
	if reference != session.Request.ClientReferenceID {
		return nil, l.burn(ctx, session)
	}
	done, err := l.release(session)
	if err != nil {
		return nil, err
	}
	defer clear(done.Credential.Secret)
	confirmed, err := l.confirmed(ctx, session, done)
	if latchkey.CodeOf(err) == latchkey.Conflict {
		return nil, badCode() // somebody else used it
	}
	return confirmed, err
}

// confirmed completes the session unless the connection it was to renew has
// changed hands meanwhile.
func (l *Links) confirmed(ctx context.Context, session *latchkey.LinkSession, done connector.Done) (*latchkey.LinkSession, error) {
	mismatch, err := l.mismatches(ctx, session, done.User)
	if err != nil {
		return nil, err
	}
	if !mismatch {
		return l.complete(ctx, tried{LinkSession: session}, done)
	}
	next := l.next(session)
	next.State, next.Progress.Failure = latchkey.StateFailed, latchkey.FailureAccountMismatch
	if _, err := l.end(ctx, session, next, latchkey.Consequences{}); err != nil {
		return nil, err
	}
	return nil, latchkey.Errorf(latchkey.NotFound, "the connection to be renewed is gone")
}

// burn ends a login that somebody else finished.
func (l *Links) burn(ctx context.Context, session *latchkey.LinkSession) error {
	next := l.next(session)
	next.State, next.Progress.Failure = latchkey.StateDenied, latchkey.FailureAccessDenied
	next.Progress.Reason = "the link was confirmed for another reference than it was begun for"
	_, err := l.end(ctx, session, next, latchkey.Consequences{})
	if latchkey.CodeOf(err) == latchkey.Conflict {
		return badCode()
	}
	if err != nil {
		return err
	}
	return latchkey.InvalidField("clientReferenceId", "is not the one that the link was begun for; the link is void")
}

// release opens what hold kept.
func (l *Links) release(session *latchkey.LinkSession) (connector.Done, error) {
	encoded, err := l.config.Sealer.OpenFlow(session.OrganisationID, session.ID, session.Flow)
	if err != nil {
		return connector.Done{}, err
	}
	defer clear(encoded)
	var kept held
	if err := json.Unmarshal(encoded, &kept); err != nil {
		return connector.Done{}, fmt.Errorf("decode the login of %s: it is damaged", session.ID)
	}
	return connector.Done{
		User: kept.User, Credential: connector.Credential{Secret: kept.Secret, ExpiresAt: kept.ExpiresAt},
	}, nil
}

// abandoned promises to end the login that a session holds, if it holds one.
func (l *Links) abandoned(session *latchkey.LinkSession) ([]latchkey.Revocation, error) {
	if session.Progress.CodeHash == "" || session.Flow == nil {
		return nil, nil
	}
	done, err := l.release(session)
	if err != nil {
		return nil, err
	}
	defer clear(done.Credential.Secret)
	revocation, err := l.unused(l.newConnection(session, done.User), done)
	return []latchkey.Revocation{revocation}, err
}

func badCode() error {
	return latchkey.InvalidField("code", "is not valid, has been used or has expired")
}

func suspended() error {
	return latchkey.Errorf(latchkey.Forbidden, "this client app is suspended")
}
