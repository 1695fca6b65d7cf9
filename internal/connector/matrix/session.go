package matrix

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/jsonapi"
)

// deviceName is what people see among their devices.
const deviceName = "Latchkey (linked account)"

// deviceID returns the id of the device that a login is. It is made of the link
// session, so that trying again makes no second device, and it is nobody
// else's: a homeserver ends what another login has under the same id.
func deviceID(sessionID string) string {
	sum := sha256.Sum256([]byte("latchkey matrix device\x00" + sessionID))
	return "LATCHKEY" + strings.ToUpper(hex.EncodeToString(sum[:8]))
}

// session is what /login and /refresh answer.
type session struct {
	User    string          `json:"user_id"`
	Access  latchkey.Secret `json:"access_token"`
	Refresh latchkey.Secret `json:"refresh_token"` // absent: none, or still the old one
	Expires int64           `json:"expires_in_ms"` // absent: never
}

// zero ends the tokens.
func (s session) zero() {
	s.Access.Zero()
	s.Refresh.Zero()
}

// longestLife is the most that is believed of a token's life.
const longestLife = 365 * 24 * time.Hour

// expiry returns when the access token ends; zero: never.
func (s session) expiry(now time.Time) time.Time {
	switch {
	case s.Expires <= 0:
		return time.Time{}
	case s.Expires > longestLife.Milliseconds():
		return now.Add(longestLife)
	}
	return now.Add(time.Duration(s.Expires) * time.Millisecond)
}

// fault is a standard error response.
type fault struct {
	Code       string `json:"errcode"`
	SoftLogout bool   `json:"soft_logout"`
}

// The error codes that are understood (client-server API, "Standard error
// response").
const (
	codeForbidden    = "M_FORBIDDEN"
	codeUnknownToken = "M_UNKNOWN_TOKEN"
	codeDeactivated  = "M_USER_DEACTIVATED"
	codeLocked       = "M_USER_LOCKED"
	codeSuspended    = "M_USER_SUSPENDED"
)

// faultOf reads the error of an answer; what is none is empty.
func faultOf(answer *jsonapi.Answer) fault {
	var told fault
	if answer.OK() || answer.Status >= http.StatusInternalServerError || answer.Status == http.StatusTooManyRequests ||
		answer.Decode(&told) != nil {
		return fault{}
	}
	return told
}

// verdict is what a homeserver makes of a login.
type verdict int

// The verdicts.
const (
	verdictIn verdict = iota
	verdictCredentials
)

// login adds who is logging in to the body, and calls the homeserver.
func (c *Connector) login(ctx context.Context, flow connector.Flow, l login, body *jsonapi.Object) (session, verdict, error) {
	encoded, err := body.Word("device_id", deviceID(flow.SessionID)).Word("initial_device_display_name", deviceName).
		Flag("refresh_token", true).Bytes()
	if err != nil {
		return session{}, 0, err
	}
	answer, err := jsonapi.Do(ctx, flow.HTTP, jsonapi.Request{
		Method: http.MethodPost, URL: endpoint(l.server.base, "v3", "login"), Body: encoded,
	})
	if err != nil {
		return session{}, 0, fmt.Errorf("log in: %w", err)
	}
	defer answer.Clear()
	if !answer.OK() {
		switch faultOf(answer).Code {
		case codeForbidden:
			return session{}, verdictCredentials, nil
		case codeDeactivated, codeLocked, codeSuspended:
			return session{}, 0, &connector.Failure{Code: latchkey.FailureAccountLocked, Reason: "the homeserver has closed the account"}
		}
		return session{}, 0, fmt.Errorf("log in: %w", answer.Unexpected())
	}
	made, err := readSession(answer)
	if err != nil {
		return session{}, 0, fmt.Errorf("log in: %w", err)
	}
	return made, verdictIn, nil
}

// readSession reads an answer with tokens.
func readSession(answer *jsonapi.Answer) (session, error) {
	var made session
	if err := answer.Decode(&made); err != nil {
		return session{}, err
	}
	if made.Access.Empty() {
		made.zero()
		return session{}, fmt.Errorf("no access token in the answer: %w", answer.Unexpected())
	}
	return made, nil
}

// answersFor reports whether a homeserver may say that the person is that user:
// by password the one that was asked for, though perhaps in other case, and on
// its own page anybody of its own.
func (c *Connector) answersFor(l login, name string) bool {
	user, ok := c.parseUserID(name)
	if !ok || user.server != l.user.server {
		return false
	}
	return l.stage == atSSO || strings.EqualFold(user.local, l.user.local)
}
