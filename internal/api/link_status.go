package api

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// sessionBody is a session as the API tells of it.
type sessionBody struct {
	Status latchkey.SessionStatus `json:"status"`
	Data   *sessionData           `json:"data,omitzero"`
}

type sessionData struct {
	Step           *sessionStep             `json:"step,omitzero"`
	TwoFactorState *latchkey.TwoFactorState `json:"twoFactorState,omitzero"`
	ID             string                   `json:"id,omitzero"` // conn_…
	UserData       *userData                `json:"userData,omitzero"`
	ErrorCode      latchkey.FailureCode     `json:"errorCode,omitzero"`
	Session        jsontext.Value           `json:"session,omitzero"` // the credential, where the app may have it
}

// userData is the linked person; the avatar is null when there is none.
type userData struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Username string  `json:"username"`
	Avatar   *string `json:"avatar"`
}

func newUserData(user latchkey.UserData) *userData {
	shown := &userData{ID: user.ID, Name: user.Name, Username: user.Username}
	if user.Avatar != "" {
		shown.Avatar = &user.Avatar
	}
	return shown
}

// sessionStep describes what is wanted next.
type sessionStep struct {
	Name         latchkey.State        `json:"name"` // pre-login, authorization, login, 2fa, redirect or wait
	Version      int64                 `json:"version"`
	Fields       []latchkey.Field      `json:"fields,omitzero"`
	Methods      []string              `json:"methods,omitzero"`
	Message      string                `json:"message,omitzero"`
	CanResend    bool                  `json:"canResend,omitzero"`
	AttemptsLeft *int                  `json:"attemptsLeft,omitzero"`
	Refused      latchkey.FailureCode  `json:"refused,omitzero"` // why the last input was refused
	Permissions  []latchkey.Permission `json:"permissions,omitzero"`
	TextVersion  string                `json:"textVersion,omitzero"` // of the consent
	Consent      *link.Consent         `json:"consent,omitzero"`     // what must be shown before it is attested
	URL          string                `json:"url,omitzero"`
	RetryAfter   int                   `json:"retryAfter,omitzero"` // seconds
}

// linkStatus answers GET /v2/link/{clientSecret}.
func (d *door) linkStatus(w http.ResponseWriter, r *http.Request) error {
	secret := r.PathValue("clientSecret")
	session, err := d.ownSession(r.Context(), secret)
	return d.writeSession(w, r, secret, session, err)
}

// linkSession answers GET /v2/link/sessions/{id}.
func (d *door) linkSession(w http.ResponseWriter, r *http.Request) error {
	session, err := d.config.Links.FindByID(r.Context(), web.Caller(r.Context()), r.PathValue("id"))
	return d.writeSession(w, r, "", session, err)
}

func (d *door) writeSession(w http.ResponseWriter, r *http.Request, secret string, session *latchkey.LinkSession, err error) error {
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return web.WriteJSON(w, http.StatusOK, sessionBody{Status: latchkey.StatusNotFound})
	}
	if err != nil {
		return err
	}
	if isRemembered(session) {
		return d.answers.write(w, session)
	}
	if secret != "" && session.State.Final() {
		web.LastWord(w.Header())
	}
	body, err := d.describeSession(r.Context(), secret, session)
	if latchkey.CodeOf(err) == latchkey.NotFound { // its client app has been deleted
		return web.WriteJSON(w, http.StatusOK, sessionBody{Status: latchkey.StatusNotFound})
	}
	if err != nil {
		return err
	}
	if body.Data != nil && session.Request.ReturnRaw {
		if body.Data.Session, err = d.config.Links.RawSession(r.Context(), web.Caller(r.Context()), session); err != nil {
			return err
		}
	}
	return web.WriteJSON(w, http.StatusOK, body)
}

// describeSession tells how a session stands, and what a whitelabel app must
// show before its user consents, or where it sends them. That is told only to
// who asks by the secret: who knows it may act for the person.
func (d *door) describeSession(ctx context.Context, secret string, session *latchkey.LinkSession) (sessionBody, error) {
	body := sessionOf(session)
	if session.Request.Mode != latchkey.ModeWhitelabel {
		return body, nil
	}
	if session.State == latchkey.StateRedirect && secret != "" {
		body.Data.Step.URL = d.config.Links.LeaveURL(secret)
	}
	if session.State != latchkey.StateAuthorization {
		return body, nil
	}
	consent, err := d.config.Links.Consent(ctx, session)
	if err != nil {
		return body, err
	}
	body.Data.Step.Consent = &consent
	return body, nil
}

// sessionOf tells how a session stands.
func sessionOf(session *latchkey.LinkSession) sessionBody {
	body := sessionBody{Status: session.Status(), Data: &sessionData{}}
	switch session.State {
	case latchkey.StateCompleted:
		body.Data.ID = session.Progress.ConnectionID
		if session.Progress.UserData != nil {
			body.Data.UserData = newUserData(*session.Progress.UserData)
		}
	case latchkey.StateDenied, latchkey.StateFailed, latchkey.StateExpired:
		body.Data.ErrorCode = session.Progress.Failure
		if link.Cancelled(session) {
			body.Data.Step = &sessionStep{Name: session.Progress.Step, Version: session.Version}
		}
	default:
		body.Data.Step = describeStep(session)
		body.Data.TwoFactorState = session.Progress.Prompt.TwoFactor
	}
	return body
}

func describeStep(session *latchkey.LinkSession) *sessionStep {
	progress := session.Progress
	step := &sessionStep{Name: session.State, Version: session.Version, Refused: progress.Refused}
	switch session.State {
	case latchkey.StateAuthorization:
		step.Permissions, step.TextVersion = session.Request.Permissions, link.ConsentTextVersion
		step.Fields = []latchkey.Field{link.ConsentField()}
	case latchkey.StateLogin, latchkey.StateTwoFactor:
		step.Fields, step.Methods = progress.Prompt.Fields, progress.Prompt.Methods
		step.Message, step.CanResend = progress.Prompt.Message, progress.Prompt.CanResend
		step.AttemptsLeft = &progress.AttemptsLeft
	case latchkey.StateWait:
		step.Message, step.RetryAfter = progress.Prompt.Message, progress.RetryAfter
	case latchkey.StateTrying:
		step.Name, step.RetryAfter = latchkey.StateWait, 1
	}
	return step
}
