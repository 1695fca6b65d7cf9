package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"latchkey"
)

// sessionQuestion asks for the session that the hash of a secret opens.
type sessionQuestion struct {
	hash    string
	session *latchkey.LinkSession // the answer, the asker's own; nil: there is none
}

// credentialQuestion asks for the connection of an id, with its credential.
type credentialQuestion struct {
	id    string
	found knownCredential // the answer, which is shared
}

// findSessions answers many questions with one. It is put after all of them
// have been asked, so each learns how its session stands now.
func findSessions(ctx context.Context, engine *postgresEngine, questions []*sessionQuestion) []error {
	found, err := findAll(ctx, engine, questions, `SELECT `+sessionAnd+` FROM link_sessions WHERE secret_hash = ANY($1::text[])`,
		func(question *sessionQuestion) string { return question.hash }, scanSession,
		func(session *latchkey.LinkSession) string { return session.SecretHash })
	if err != nil {
		return sameError(len(questions), fmt.Errorf("load sessions: %w", err))
	}
	errs := make([]error, len(questions))
	for i, question := range questions {
		session, there := found[question.hash]
		if !there {
			errs[i] = notFound("session")
			continue
		}
		own := *session
		question.session = &own
	}
	return errs
}

// findCredentials is findSessions for connections.
func findCredentials(ctx context.Context, engine *postgresEngine, questions []*credentialQuestion) []error {
	found, err := findAll(ctx, engine, questions, credentialQuery+`id = ANY($1::text[])`,
		func(question *credentialQuestion) string { return question.id }, scanCredential,
		func(credential knownCredential) string { return credential.connection.ID })
	if err != nil {
		return sameError(len(questions), fmt.Errorf("load credentials: %w", err))
	}
	errs := make([]error, len(questions))
	for i, question := range questions {
		var there bool
		if question.found, there = found[question.id]; !there {
			errs[i] = sql.ErrNoRows
		}
	}
	return errs
}

// findAll returns the rows that the questions are about, by their keys.
func findAll[Q, V any](ctx context.Context, engine *postgresEngine, questions []Q, query string,
	asks func(Q) string, scan func(scanner) (V, error), keyOf func(V) string,
) (map[string]V, error) {
	keys := make([]string, len(questions))
	for i, question := range questions {
		keys[i] = asks(question)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	asked := make(map[string]V, len(keys))
	return asked, again(ctx, func() error {
		rows, err := engine.db.QueryContext(ctx, query, keys)
		found, err := collect(rows, err, scan)
		for _, row := range found {
			asked[keyOf(row)] = row
		}
		return err
	})
}
