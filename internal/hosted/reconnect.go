package hosted

import (
	"log/slog"
	"net/http"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// reconnect offers to link a connection anew. It shows who asks and for which
// provider, and nothing of the person, and changes nothing: programs look at
// links that people were sent.
func (d *door) reconnect(w http.ResponseWriter, r *http.Request) error {
	connection, app, err := d.config.Links.Reconnectable(r.Context(), r.PathValue("token"))
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return d.drawSilent(w, r, http.StatusNotFound)
	}
	if err != nil {
		return err
	}
	web.Annotate(r.Context(), slog.String("connection", connection.ID))
	page := d.frame(r, &latchkey.LinkSession{
		Environment: connection.Environment, Progress: latchkey.SessionProgress{Provider: connection.Provider},
	}, app)
	page.Content = Reconnect{}
	return writePage(w, http.StatusOK, page)
}

// beginReconnect starts the link and goes to its page.
func (d *door) beginReconnect(w http.ResponseWriter, r *http.Request) error {
	fields, err := web.DecodeForm(w, r)
	if err != nil {
		return err
	}
	latchkey.ZeroAll(fields) // there is nothing to fill in
	begun, err := d.config.Links.Reconnect(r.Context(), r.PathValue("token"))
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return d.drawSilent(w, r, http.StatusNotFound)
	}
	if err != nil {
		return err
	}
	web.Annotate(r.Context(), slog.String("session", begun.Session.ID))
	target := "/" + begun.Secret
	if query := pageQuery(r); len(query) > 0 {
		target += "?" + query.Encode()
	}
	redirect(w, target)
	return nil
}

// reconnectPattern is where a token comes in.
const reconnectPattern = link.ReconnectPath + "{token}"
