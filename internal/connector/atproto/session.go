package atproto

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/jsonapi"
)

// session is what createSession and refreshSession answer.
type session struct {
	DID     string          `json:"did"`
	Handle  string          `json:"handle"`
	Access  latchkey.Secret `json:"accessJwt"`
	Refresh latchkey.Secret `json:"refreshJwt"`
	Active  *bool           `json:"active"` // absent: yes
	Status  string          `json:"status"` // why it is not active
}

// zero ends the tokens.
func (s session) zero() {
	s.Access.Zero()
	s.Refresh.Zero()
}

// fault is the body of an XRPC error (atproto.com/specs/xrpc, "Error
// Responses").
type fault struct {
	Error   string `json:"error"`
	Message string `json:"message"`
}

// The names of XRPC errors that are understood.
const (
	faultCredentials = "AuthenticationRequired"
	faultCodeWanted  = "AuthFactorTokenRequired"
	faultTakedown    = "AccountTakedown"
	faultNotFound    = "AccountNotFound"
	faultExpired     = "ExpiredToken"
	faultInvalid     = "InvalidToken"
)

// verdict is what a PDS makes of a login.
type verdict int

// The verdicts.
const (
	verdictIn          verdict = iota
	verdictCredentials         // the password is wrong
	verdictCodeWanted          // and has been sent
	verdictCodeWrong           // or too old
	verdictTakenDown           // by the PDS
)

// verdicts are what the errors of createSession mean.
var verdicts = map[string]verdict{
	faultCredentials: verdictCredentials,
	faultCodeWanted:  verdictCodeWanted,
	faultTakedown:    verdictTakenDown,
}

// maxSession bounds the answer, which carries a DID document, in bytes.
const maxSession = 256 << 10

// createSession logs in at the account's PDS.
func (c *Connector) createSession(ctx context.Context, client *http.Client, who account, password, code []byte) (session, verdict, error) {
	// The DID is the one name that can't come to mean somebody else meanwhile.
	body := new(jsonapi.Object).Word("identifier", who.DID).Text("password", password)
	if code != nil {
		body.Text("authFactorToken", code)
	}
	encoded, err := body.Bytes()
	if err != nil {
		return session{}, 0, err
	}
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{
		Method: http.MethodPost, URL: method(who.PDS, "com.atproto.server.createSession"), Body: encoded, Limit: maxSession,
	})
	if err != nil {
		return session{}, 0, err
	}
	defer answer.Clear()
	if answer.OK() {
		made, err := readSession(answer)
		return made, verdictIn, err
	}
	told := faultOf(answer)
	if known, ok := verdicts[told.Error]; ok {
		return session{}, known, nil
	}
	if code != nil && (told.Error == faultInvalid || told.Error == faultExpired) {
		return session{}, verdictCodeWrong, nil
	}
	return session{}, 0, answer.Unexpected()
}

// readSession reads an answer with tokens.
func readSession(answer *jsonapi.Answer) (session, error) {
	var made session
	if err := answer.Decode(&made); err != nil {
		return session{}, err
	}
	if made.Access.Empty() || made.Refresh.Empty() || made.DID == "" {
		made.zero()
		return session{}, fmt.Errorf("no session in the answer: %w", answer.Unexpected())
	}
	return made, nil
}

// deleteSession ends the session of a refresh token. It is nil also when the
// token is no longer known.
func (c *Connector) deleteSession(ctx context.Context, client *http.Client, pds *url.URL, refresh []byte) error {
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{
		Method: http.MethodPost, URL: method(pds, "com.atproto.server.deleteSession"), Bearer: refresh,
	})
	if err != nil {
		return err
	}
	if told := faultOf(answer); answer.OK() || told.Error == faultExpired || told.Error == faultInvalid {
		return nil
	}
	return answer.Unexpected()
}

// faultOf reads the XRPC error of an answer; what is none is empty.
func faultOf(answer *jsonapi.Answer) fault {
	var told fault
	if answer.OK() || answer.Status >= http.StatusInternalServerError || answer.Status == http.StatusTooManyRequests ||
		answer.Decode(&told) != nil {
		return fault{}
	}
	return told
}

// dead returns the ErrDead of an XRPC error, nil when it is none. What a PDS
// answers to a token that it has forgotten is ExpiredToken, as to an old one.
func dead(told fault) error {
	switch {
	case told.Error == faultTakedown:
		return &connector.Dead{Reason: connector.DeadBlocked}
	case told.Error == faultExpired && told.Message == "Token has been revoked":
		return &connector.Dead{Reason: connector.DeadRevoked}
	case told.Error == faultExpired, told.Error == faultInvalid, told.Error == faultNotFound:
		return &connector.Dead{Reason: connector.DeadSession}
	}
	return nil
}

// method returns the URL of an XRPC method.
func method(pds *url.URL, name string) *url.URL { return pds.JoinPath("xrpc", name) }
