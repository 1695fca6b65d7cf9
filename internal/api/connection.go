package api

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// connectionBody is a connection as the API tells of it.
type connectionBody struct {
	ID                string                    `json:"id"`
	Status            latchkey.ConnectionStatus `json:"status"`
	UserData          *userData                 `json:"userData"`
	Permissions       []string                  `json:"permissions"`
	ExpiredAt         *string                   `json:"expiredAt"`
	CreatedAt         string                    `json:"createdAt"`
	UpdatedAt         string                    `json:"updatedAt"`
	ClientReferenceID *string                   `json:"clientReferenceId"`
	Imported          bool                      `json:"imported"`
	LastCheckedAt     *string                   `json:"lastCheckedAt"`
	Provider          string                    `json:"provider"`
	Metadata          map[string]string         `json:"metadata"`
	Expiry            *link.Expiry              `json:"expiry"`
}

func describeConnection(connection latchkey.Connection, expiry *link.Expiry) connectionBody {
	body := connectionBody{
		ID: connection.ID, Status: connection.Status, UserData: newUserData(connection.User),
		Permissions: connection.Permissions, ExpiredAt: latchkey.FormatOptionalTime(connection.ExpiredAt),
		CreatedAt: latchkey.FormatTime(connection.CreatedAt), UpdatedAt: latchkey.FormatTime(connection.UpdatedAt),
		Imported: connection.Imported, LastCheckedAt: latchkey.FormatOptionalTime(connection.LastCheckedAt),
		Provider: connection.Provider, Metadata: connection.Metadata, Expiry: expiry,
	}
	if connection.ClientReferenceID != "" {
		body.ClientReferenceID = &connection.ClientReferenceID
	}
	return body
}

// connectionsList answers GET /v2/account/connections and its alias.
func (d *door) connectionsList(w http.ResponseWriter, r *http.Request) error {
	filter, err := connectionFilter(r)
	if err != nil {
		return err
	}
	connections, more, err := d.config.Links.Connections(r.Context(), web.Caller(r.Context()), filter)
	if err != nil {
		return err
	}
	list := make([]connectionBody, len(connections))
	expiryOf := d.config.Links.Expiries()
	for i, connection := range connections {
		expiry, err := expiryOf(r.Context(), connection)
		if err != nil {
			return err
		}
		list[i] = describeConnection(connection, expiry)
	}
	return web.WriteList(w, list, more, filter.Offset)
}

func connectionFilter(r *http.Request) (latchkey.ConnectionFilter, error) {
	var filter latchkey.ConnectionFilter
	var err error
	if filter.Limit, filter.Offset, err = web.Paging(r); err != nil {
		return filter, err
	}
	query := r.URL.Query()
	filter.Status = latchkey.ConnectionStatus(query.Get("status"))
	if filter.Status != "" && !slices.Contains(latchkey.ConnectionStatuses(), filter.Status) {
		return filter, latchkey.InvalidField("status", "must be active, expired, awaiting_2fa or pending")
	}
	switch query.Get("imported") {
	case "":
	case "true", "false":
		imported := query.Get("imported") == "true"
		filter.Imported = &imported
	default:
		return filter, latchkey.InvalidField("imported", "must be true or false")
	}
	if filter.ClientReferenceID, err = textFilter(r, "clientReferenceId"); err != nil {
		return filter, err
	}
	filter.Provider, err = textFilter(r, "provider")
	return filter, err
}

// textFilter reads a filter by a text.
func textFilter(r *http.Request, name string) (string, error) {
	value := r.URL.Query().Get(name)
	if !utf8.ValidString(value) || strings.Contains(value, "\x00") { // PostgreSQL has no such text
		return "", latchkey.InvalidField(name, "must be text in UTF-8 without NUL")
	}
	return value, nil
}

// connectionGet answers GET /v2/account/connections/{id}.
func (d *door) connectionGet(w http.ResponseWriter, r *http.Request) error {
	connection, err := d.config.Links.Connection(r.Context(), web.Caller(r.Context()), r.PathValue("id"))
	if err != nil {
		return err
	}
	return d.writeConnection(w, r, connection, http.StatusOK)
}

// writeConnection answers with one connection.
func (d *door) writeConnection(w http.ResponseWriter, r *http.Request, connection latchkey.Connection, status int) error {
	expiry, err := d.config.Links.Expiries()(r.Context(), connection)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, status, describeConnection(connection, expiry))
}

// connectionInvalidate answers POST /v2/account/connections/{id}/invalidate.
func (d *door) connectionInvalidate(w http.ResponseWriter, r *http.Request) error {
	if err := d.config.Links.Invalidate(r.Context(), web.Caller(r.Context()), r.PathValue("id")); err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, struct{}{})
}

// connectionDelete answers DELETE /v2/account/connections/{id}.
func (d *door) connectionDelete(w http.ResponseWriter, r *http.Request) error {
	if err := d.config.Links.Disconnect(r.Context(), web.Caller(r.Context()), r.PathValue("id")); err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, struct{}{})
}
