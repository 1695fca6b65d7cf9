package api

import (
	"log/slog"
	"net/http"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// linkInitRequest is the body of POST /v2/link/init. Pointers tell an empty
// value from none.
type linkInitRequest struct {
	ClientAppID       string                `json:"clientAppId"`
	RedirectURL       *string               `json:"redirectUrl"`
	ClientReferenceID *string               `json:"clientReferenceId"`
	ConnectionID      string                `json:"connectionId"`
	Geolocation       *latchkey.Geolocation `json:"geolocation"`
	Mode              string                `json:"mode"`    // deprecated: a hint without clientAppId
	Origin            string                `json:"origin"`  // deprecated: the app's own origins count
	Options           linkInitOptions       `json:"options"` // deprecated
	Provider          string                `json:"provider"`
	Permissions       []string              `json:"permissions"`
	ExpiresIn         *int                  `json:"expiresIn"`
	Locale            string                `json:"locale"`
	Metadata          map[string]string     `json:"metadata"`
}

type linkInitOptions struct {
	ReturnRawSession bool `json:"returnRawSession"`
}

// linkInitResponse is the answer: a page to open, or a secret to drive the
// session with.
type linkInitResponse struct {
	Mode         latchkey.Mode `json:"mode"`
	URL          string        `json:"url,omitzero"`
	ClientSecret string        `json:"clientSecret,omitzero"`
	ExpiresAt    string        `json:"expiresAt"`
	SessionID    string        `json:"sessionId"`
}

// linkInit answers POST /v2/link/init.
func (d *door) linkInit(w http.ResponseWriter, r *http.Request) error {
	var body linkInitRequest
	if err := web.Decode(w, r, &body); err != nil {
		return err
	}
	request, err := body.request()
	if err != nil {
		return err
	}
	if request.IdempotencyKey, err = idempotencyKey(r); err != nil {
		return err
	}
	initiated, err := d.config.Links.Init(r.Context(), web.Caller(r.Context()), request)
	if err != nil {
		return err
	}
	session := initiated.Session
	web.Annotate(r.Context(), slog.String("session", session.ID))
	answer := linkInitResponse{
		Mode: session.Request.Mode, ExpiresAt: latchkey.FormatTime(session.ExpiresAt), SessionID: session.ID,
	}
	if session.Request.Mode == latchkey.ModeWhitelabel {
		answer.ClientSecret = initiated.Secret
	} else {
		answer.URL = d.config.Links.PageURL(initiated.Secret)
	}
	if initiated.Replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	return web.WriteJSON(w, http.StatusOK, answer)
}

// idempotencyKey reads the header Idempotency-Key, which may be missing: 1 to
// 255 visible ASCII characters.
func idempotencyKey(r *http.Request) (string, error) {
	keys := r.Header.Values("Idempotency-Key")
	if len(keys) == 0 {
		return "", nil
	}
	refused := latchkey.InvalidField("Idempotency-Key", "must be given once, with 1 to 255 visible ASCII characters")
	if len(keys) != 1 || keys[0] == "" || len(keys[0]) > 255 {
		return "", refused
	}
	for i := range len(keys[0]) {
		if keys[0][i] < ' ' || keys[0][i] > '~' {
			return "", refused
		}
	}
	return keys[0], nil
}

// request tells what was given empty, which is an error, from what was not
// given.
func (b linkInitRequest) request() (link.InitRequest, error) {
	request := link.InitRequest{
		ClientAppID: b.ClientAppID, ConnectionID: b.ConnectionID, Geolocation: b.Geolocation, ModeHint: b.Mode,
		Provider: b.Provider, Permissions: b.Permissions, Locale: b.Locale, Metadata: b.Metadata, Origin: b.Origin,
		ReturnRaw: b.Options.ReturnRawSession,
	}
	if b.RedirectURL != nil {
		if *b.RedirectURL == "" {
			return request, latchkey.InvalidField("redirectUrl", "is not registered for this client app")
		}
		request.RedirectURL = *b.RedirectURL
	}
	if b.ClientReferenceID != nil {
		if *b.ClientReferenceID == "" {
			return request, latchkey.InvalidField("clientReferenceId", "must have 1 to 255 characters")
		}
		request.ClientReferenceID = *b.ClientReferenceID
	}
	if b.ExpiresIn != nil {
		if *b.ExpiresIn == 0 {
			return request, latchkey.InvalidField("expiresIn", "must be 300 to 3600 seconds")
		}
		request.ExpiresIn = *b.ExpiresIn
	}
	return request, nil
}
