package api

import (
	"log/slog"
	"net/http"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// importRequest is the body of POST /v2/account/connections/import and, but
// for its last fields, of PATCH …/import/{id}.
type importRequest struct {
	Cookie            latchkey.Secret            `json:"cookie"`
	UserAgent         latchkey.Secret            `json:"userAgent"`
	Credentials       map[string]latchkey.Secret `json:"credentials"`
	Provider          string                     `json:"provider"`
	Permissions       []string                   `json:"permissions"`
	ClientReferenceID *string                    `json:"clientReferenceId"`
}

func (b *importRequest) zero() {
	b.Cookie.Zero()
	b.UserAgent.Zero()
	latchkey.ZeroAll(b.Credentials)
}

// request checks that there is one login, and the whole of it.
func (b *importRequest) request() (link.ImportRequest, error) {
	request := link.ImportRequest{
		Provider: b.Provider, Cookie: b.Cookie, UserAgent: b.UserAgent, Credentials: b.Credentials,
		Permissions: b.Permissions,
	}
	switch {
	case b.Credentials == nil && b.Cookie.Empty():
		return request, latchkey.InvalidField("cookie", "or credentials are required")
	case b.Credentials != nil && !b.Cookie.Empty():
		return request, latchkey.InvalidField("credentials", "and cookie are two logins; give one")
	case len(b.Credentials) > maxFields:
		return request, latchkey.InvalidField("credentials", "has more than 20 entries")
	case !b.Cookie.Empty() && b.UserAgent.Empty():
		return request, latchkey.InvalidField("userAgent", "is required with a cookie")
	}
	if b.ClientReferenceID != nil {
		if *b.ClientReferenceID == "" {
			return request, latchkey.InvalidField("clientReferenceId", "must have 1 to 255 characters")
		}
		request.ClientReferenceID = *b.ClientReferenceID
	}
	return request, nil
}

// connectionImport answers POST /v2/account/connections/import.
func (d *door) connectionImport(w http.ResponseWriter, r *http.Request) error {
	var body importRequest
	defer body.zero()
	if err := web.Decode(w, r, &body); err != nil {
		return err
	}
	request, err := body.request()
	if err != nil {
		return err
	}
	if request.Credentials != nil && request.Provider == "" {
		return latchkey.InvalidField("provider", "is required with credentials")
	}
	connection, err := d.config.Links.Import(r.Context(), web.Caller(r.Context()), request)
	if err != nil {
		return err
	}
	web.Annotate(r.Context(), slog.String("connection", connection.ID))
	return d.writeConnection(w, r, connection, http.StatusOK)
}

// connectionReimport answers PATCH /v2/account/connections/import/{id}.
func (d *door) connectionReimport(w http.ResponseWriter, r *http.Request) error {
	var body importRequest
	defer body.zero()
	if err := web.Decode(w, r, &body); err != nil {
		return err
	}
	request, err := body.request()
	if err != nil {
		return err
	}
	connection, err := d.config.Links.Reimport(r.Context(), web.Caller(r.Context()), r.PathValue("part"), request)
	if err != nil {
		return err
	}
	return d.writeConnection(w, r, connection, http.StatusOK)
}
