package store

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
)

const sessionColumns = `id, secret_hash, organisation_id, environment, client_app_id, state, version, expires_at,
	lease_until, created_at, updated_at, request, progress, flow, status`

// sessionAnd is sessionColumns and whether the session's client app is
// suspended now, or deleted.
const sessionAnd = sessionColumns + `,
	COALESCE((SELECT suspended FROM client_apps WHERE client_apps.id = link_sessions.client_app_id), TRUE)`

// CreateLinkSession keeps a new session.
func (s *Store) CreateLinkSession(ctx context.Context, session *latchkey.LinkSession) error {
	row, err := newSessionRow(session)
	if err != nil {
		return err
	}
	if grouped := s.engine.batches(); grouped != nil {
		return s.bounded(func() error { return grouped.sessionsCreated.do(ctx, row) })
	}
	return s.statement(ctx, func(tx *tx) error { return insertSession(tx, row) })
}

func insertSession(tx *tx, row *sessionRow) error {
	tx.changes.newSession(row)
	_, err := tx.exec(`INSERT INTO link_sessions (`+sessionColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		row.id, row.secretHash, row.organisationID, row.environment, row.clientAppID, row.state, row.version,
		row.expiresAt, row.leaseUntil, row.createdAt, row.updatedAt, row.request, row.progress, row.flow, row.status)
	if err != nil {
		return fmt.Errorf("create session %s: %w", row.id, err)
	}
	return nil
}

// LinkSessionBySecret returns the session that the hash of a client secret
// opens, or a not-found error.
func (s *Store) LinkSessionBySecret(ctx context.Context, secretHash string) (*latchkey.LinkSession, error) {
	if grouped := s.engine.batches(); grouped != nil {
		s.reads.Add(1)
		question := &sessionQuestion{hash: secretHash}
		if err := grouped.sessionsFound.do(ctx, question); err != nil {
			return nil, err
		}
		return question.session, nil
	}
	memory := s.memories.sessions
	known, ok, changes := memory.get(secretHash)
	if ok {
		return known.load()
	}
	apps := s.memories.activeApps
	_, _, appChanges := apps.get("")
	session, err := scanSession(s.read().QueryRowContext(ctx,
		`SELECT `+sessionAnd+` FROM link_sessions WHERE secret_hash = $1`, secretHash))
	if err != nil {
		return nil, orNotFound(err, "session")
	}
	memory.keep(secretHash, newKnownSession(session), changes)
	if !session.AppSuspended {
		apps.keep(session.ClientAppID, true, appChanges)
	}
	return session, nil
}

// LinkSession returns a session by its ls_ id within an organisation and
// environment, or a not-found error.
func (s *Store) LinkSession(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
) (*latchkey.LinkSession, error) {
	session, err := scanSession(s.read().QueryRowContext(ctx, `SELECT `+sessionAnd+` FROM link_sessions
		WHERE id = $1 AND organisation_id = $2 AND environment = $3`, id, organisationID, string(environment)))
	if err != nil {
		return nil, orNotFound(err, "session")
	}
	return session, nil
}

// AdvanceLinkSession replaces the session that was read at version by the
// given one, together with what follows from that step. If the session has
// moved on, nothing is written and the error is a conflict; if a try is over
// its budget, nothing is written and the error is rate limited.
func (s *Store) AdvanceLinkSession(ctx context.Context, session *latchkey.LinkSession, version int64,
	follows latchkey.Consequences,
) error {
	row, err := nextSessionRow(session)
	if err != nil {
		return err
	}
	row.readVersion = version
	grouped := s.engine.batches()
	alone := nothingFollows(follows)
	write := s.fact
	if session.State.Final() {
		write = s.ending
	}
	if grouped != nil && alone {
		return s.bounded(func() error { return grouped.sessionsAdvanced.do(ctx, row) })
	}
	if alone && !session.State.Final() {
		return s.statement(ctx, func(tx *tx) error { return advanceSession(tx, row) })
	}
	err = write(ctx, func(tx *tx) error {
		if err := advanceSession(tx, row); err != nil {
			return err
		}
		return insertConsequences(tx, follows)
	})
	s.wakeFor(err, follows.Events)
	return err
}

func nothingFollows(follows latchkey.Consequences) bool {
	return len(follows.Events) == 0 && len(follows.Records) == 0 && len(follows.Take) == 0 &&
		len(follows.Release) == 0 && len(follows.Revocations) == 0
}

func insertConsequences(tx *tx, follows latchkey.Consequences) error {
	for _, attempt := range follows.Take {
		if err := takeAttempt(tx, attempt); err != nil {
			return err
		}
	}
	for _, attempt := range follows.Release {
		if err := releaseAttempt(tx, attempt); err != nil {
			return err
		}
	}
	for _, revocation := range follows.Revocations {
		if err := insertRevocation(tx, revocation); err != nil {
			return err
		}
	}
	if err := insertAudit(tx, follows.Records); err != nil {
		return err
	}
	return insertEvents(tx, follows.Events)
}

const advanceStatement = `UPDATE link_sessions SET state = $3, version = $4, lease_until = $5, updated_at = $6,
	progress = $7, flow = $8, status = $9, expires_at = $10 WHERE id = $1 AND version = $2`

func advanceSession(tx *tx, row *sessionRow) error {
	tx.changes.session(row)
	changed, err := tx.exec(advanceStatement,
		row.id, row.readVersion, row.state, row.version, row.leaseUntil, row.updatedAt, row.progress, row.flow,
		row.status, row.expiresAt)
	if err != nil {
		return fmt.Errorf("advance session %s: %w", row.id, err)
	}
	if changed == 0 {
		return conflict("session")
	}
	return nil
}

// LinkSessions returns the newest sessions that fit the filter, and whether
// there are more.
func (s *Store) LinkSessions(ctx context.Context, filter latchkey.SessionFilter) ([]*latchkey.LinkSession, bool, error) {
	// The reference is in the request's JSON: what encodes alike is alike. What
	// follows it there tells it from metadata of the same name.
	alone, reconnecting := "", ""
	if filter.ClientReferenceID != "" {
		encoded, err := json.Marshal(filter.ClientReferenceID)
		if err != nil {
			return nil, false, fmt.Errorf("encode reference: %w", err)
		}
		alone = `"clientReferenceId":` + string(encoded) + `,"providers":[`
		reconnecting = `"clientReferenceId":` + string(encoded) + `,"connectionId":"` + latchkey.PrefixConnection
	}
	// PostgreSQL takes a parameter for what it is compared with first.
	rows, err := s.read().QueryContext(ctx, `SELECT `+sessionAnd+` FROM link_sessions
		WHERE organisation_id = $1 AND environment = $2 AND ($3 = '' OR status = $3) AND ($4 = '' OR client_app_id = $4)
		AND ($5 = '' OR replace(request, $5, '') <> request OR replace(request, $10, '') <> request) AND created_at >= $6 AND (created_at < $7 OR $7 = 0)
		ORDER BY created_at DESC, id DESC LIMIT $8 OFFSET $9`,
		filter.OrganisationID, string(filter.Environment), string(filter.Status), filter.ClientAppID, alone,
		micros(filter.From), micros(filter.To), filter.Limit+1, filter.Offset, reconnecting)
	list, err := collect(rows, err, scanSession)
	if err != nil {
		return nil, false, fmt.Errorf("list sessions: %w", err)
	}
	if len(list) > filter.Limit {
		return list[:filter.Limit], true, nil
	}
	return list, false, nil
}

// OverdueLinkSessions returns up to limit sessions that are past their time
// and not yet ended.
func (s *Store) OverdueLinkSessions(ctx context.Context, now time.Time, limit int) ([]*latchkey.LinkSession, error) {
	rows, err := s.read().QueryContext(ctx, `SELECT `+sessionAnd+` FROM link_sessions
		WHERE state NOT IN ('completed', 'denied', 'failed', 'expired') AND expires_at <= $1
		ORDER BY expires_at LIMIT $2`, micros(now), limit)
	list, err := collect(rows, err, scanSession)
	if err != nil {
		return nil, fmt.Errorf("find overdue sessions: %w", err)
	}
	return list, nil
}

// sessionRow is a session as it is bound to statements.
type sessionRow struct {
	id, secretHash, organisationID, environment, clientAppID, state   string
	version, expiresAt, leaseUntil, createdAt, updatedAt, readVersion int64
	request, progress, status                                         string
	flow                                                              []byte
}

func newSessionRow(session *latchkey.LinkSession) (*sessionRow, error) {
	request, err := json.Marshal(session.Request)
	if err != nil {
		return nil, fmt.Errorf("encode session %s: %w", session.ID, err)
	}
	row, err := nextSessionRow(session)
	if err == nil {
		row.request = string(request)
	}
	return row, err
}

// nextSessionRow is newSessionRow of a session that is there already: its request
// stays as it was written.
func nextSessionRow(session *latchkey.LinkSession) (*sessionRow, error) {
	progress, err := json.Marshal(session.Progress)
	if err != nil {
		return nil, fmt.Errorf("encode session %s: %w", session.ID, err)
	}
	return &sessionRow{
		id: session.ID, secretHash: session.SecretHash, organisationID: session.OrganisationID,
		environment: string(session.Environment), clientAppID: session.ClientAppID, state: string(session.State),
		version: session.Version, expiresAt: micros(session.ExpiresAt), leaseUntil: micros(session.LeaseUntil),
		createdAt: micros(session.CreatedAt), updatedAt: micros(session.UpdatedAt),
		progress: string(progress), flow: session.Flow, status: string(session.Status()),
	}, nil
}

// whole returns the session of a row that has all its columns.
func (r *sessionRow) whole() (*latchkey.LinkSession, error) {
	session := &latchkey.LinkSession{
		ID: r.id, SecretHash: r.secretHash, OrganisationID: r.organisationID,
		Environment: latchkey.Environment(r.environment), ClientAppID: r.clientAppID, State: latchkey.State(r.state),
		Version: r.version, ExpiresAt: moment(r.expiresAt), LeaseUntil: moment(r.leaseUntil),
		CreatedAt: moment(r.createdAt), UpdatedAt: moment(r.updatedAt), Flow: r.flow,
	}
	if err := json.Unmarshal([]byte(r.request), &session.Request); err != nil {
		return nil, fmt.Errorf("decode session %s: %w", r.id, err)
	}
	if err := json.Unmarshal([]byte(r.progress), &session.Progress); err != nil {
		return nil, fmt.Errorf("decode session %s: %w", r.id, err)
	}
	return session, nil
}

func scanSession(row scanner) (*latchkey.LinkSession, error) {
	var r sessionRow
	var suspended bool
	err := row.Scan(&r.id, &r.secretHash, &r.organisationID, &r.environment, &r.clientAppID, &r.state, &r.version,
		&r.expiresAt, &r.leaseUntil, &r.createdAt, &r.updatedAt, &r.request, &r.progress, &r.flow, &r.status, &suspended)
	if err != nil {
		return nil, err
	}
	session, err := r.whole()
	if err != nil {
		return nil, err
	}
	session.AppSuspended = suspended
	return session, nil
}
