package store

import (
	"context"
	"fmt"

	"latchkey"
)

// sessionQuestion asks for the session that the hash of a secret opens.
type sessionQuestion struct {
	hash    string
	session *latchkey.LinkSession // the answer, the asker's own; nil: there is none
}

// findSessions answers many questions with one. It is put after all of them
// have been asked, so each learns how its session stands now.
func findSessions(ctx context.Context, engine *postgresEngine, questions []*sessionQuestion) []error {
	asked := make(map[string]*latchkey.LinkSession, len(questions))
	hashes := make([]string, 0, len(questions))
	for _, question := range questions {
		if _, twice := asked[question.hash]; !twice {
			asked[question.hash] = nil
			hashes = append(hashes, question.hash)
		}
	}
	err := again(ctx, func() error {
		rows, err := engine.db.QueryContext(ctx,
			`SELECT `+sessionAnd+` FROM link_sessions WHERE secret_hash = ANY($1::text[])`, hashes)
		found, err := collect(rows, err, scanSession)
		for _, session := range found {
			asked[session.SecretHash] = session
		}
		return err
	})
	if err != nil {
		return sameError(len(questions), fmt.Errorf("load sessions: %w", err))
	}
	errs := make([]error, len(questions))
	for i, question := range questions {
		session := asked[question.hash]
		if session == nil {
			errs[i] = notFound("session")
			continue
		}
		own := *session
		question.session = &own
	}
	return errs
}
