package link

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// idempotencyLife is how long an answer is given again.
const idempotencyLife = 24 * time.Hour

// initOnce keeps the session unless the caller's organisation has used the
// idempotency key within a day: then the answer is that of before, if the
// request is, and a conflict if it is not.
func (l *Links) initOnce(ctx context.Context, session *latchkey.LinkSession, secret string, request InitRequest,
) (Initiated, error) {
	body, err := hashRequest(request)
	if err != nil {
		return Initiated{}, err
	}
	answer, err := l.config.Sealer.SealClientSecret(session.OrganisationID, session.ID, []byte(secret))
	if err != nil {
		return Initiated{}, err
	}
	before, err := l.config.Sessions.CreateLinkSessionOnce(ctx, session, latchkey.IdempotencyKey{
		OrganisationID: session.OrganisationID, Environment: session.Environment,
		KeyHash: latchkey.HashSecret(request.IdempotencyKey), BodyHash: body, SessionID: session.ID, Answer: answer,
		CreatedAt: session.CreatedAt,
	}, session.CreatedAt.Add(-idempotencyLife))
	if err != nil || before == nil {
		return Initiated{Session: session, Secret: secret}, err
	}
	if before.BodyHash != body {
		return Initiated{}, latchkey.Errorf(latchkey.Conflict, "this Idempotency-Key was used for another request")
	}
	return l.again(ctx, *before)
}

// again returns what an init before was answered with.
func (l *Links) again(ctx context.Context, before latchkey.IdempotencyKey) (Initiated, error) {
	session, err := l.config.Sessions.LinkSession(ctx, before.OrganisationID, before.Environment, before.SessionID)
	if err != nil {
		return Initiated{}, err
	}
	secret, err := l.config.Sealer.OpenClientSecret(before.OrganisationID, before.SessionID, before.Answer)
	if err != nil {
		return Initiated{}, err
	}
	return Initiated{Session: session, Secret: string(secret), Replayed: true}, nil
}

// hashRequest returns a hash by which two requests are the same. No list and
// an empty one are not: no permissions are all of them.
func hashRequest(request InitRequest) (string, error) {
	request.IdempotencyKey = ""
	encoded, err := json.Marshal(request, json.Deterministic(true), json.FormatNilSliceAsNull(true))
	if err != nil {
		return "", fmt.Errorf("encode init: %w", err)
	}
	sum := sha256.Sum256(encoded)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}
