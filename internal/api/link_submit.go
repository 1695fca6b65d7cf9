package api

import (
	"log/slog"
	"net/http"
	"slices"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// linkSubmitRequest is the body of POST /v2/link/{clientSecret}/submit.
type linkSubmitRequest struct {
	Version *int64                     `json:"version"`
	Fields  map[string]latchkey.Secret `json:"fields"`
	Action  latchkey.Action            `json:"action"`
	Method  string                     `json:"method"`
}

// maxFields bounds the fields of a submission.
const maxFields = 20

// linkSubmit answers POST /v2/link/{clientSecret}/submit.
func (d *door) linkSubmit(w http.ResponseWriter, r *http.Request) error {
	var body linkSubmitRequest
	defer func() { latchkey.ZeroAll(body.Fields) }()
	if err := web.Decode(w, r, &body); err != nil {
		return err
	}
	if err := body.validate(); err != nil {
		return err
	}
	secret := r.PathValue("clientSecret")
	session, err := d.ownSession(r.Context(), secret)
	if err != nil {
		return err
	}
	web.Annotate(r.Context(), slog.String("session", session.ID))
	if session.Request.Mode != latchkey.ModeWhitelabel {
		return latchkey.Errorf(latchkey.Forbidden, "this session is driven by its hosted page")
	}
	session, err = d.config.Links.StepFrom(r.Context(), secret, session, link.Submission{
		Version: *body.Version, Action: body.Action, Method: body.Method, Fields: body.Fields,
		Seen: link.Witness{Attestor: web.Caller(r.Context()).KeyID},
	})
	if err != nil {
		if session != nil && latchkey.CodeOf(err) == latchkey.Conflict {
			current, describeErr := d.describeSession(r.Context(), secret, session)
			if describeErr != nil {
				return describeErr
			}
			return web.WithCurrent(err, current)
		}
		return err
	}
	if session.State.Final() {
		web.LastWord(w.Header())
	}
	answer, err := d.describeSession(r.Context(), secret, session)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusAccepted, answer)
}

func (b *linkSubmitRequest) validate() error {
	if b.Version == nil {
		return latchkey.InvalidField("version", "is required: it is in the step that you answer")
	}
	if b.Action == "" {
		b.Action = latchkey.ActionContinue
	}
	if !slices.Contains(latchkey.Actions(), b.Action) {
		return latchkey.InvalidField("action", "is not an action")
	}
	if len(b.Fields) > maxFields {
		return latchkey.InvalidField("fields", "has more than 20 entries")
	}
	return nil
}
