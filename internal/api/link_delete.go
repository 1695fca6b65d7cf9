package api

import (
	"net/http"

	"latchkey"
	"latchkey/internal/web"
)

// linkDelete answers DELETE /v2/link/{clientSecret}.
func (d *door) linkDelete(w http.ResponseWriter, r *http.Request) error {
	secret := r.PathValue("clientSecret")
	_, err := d.ownSession(r.Context(), secret)
	if err == nil {
		err = d.config.Links.Delete(r.Context(), secret)
	}
	if err != nil && latchkey.CodeOf(err) != latchkey.NotFound {
		return err
	}
	web.LastWord(w.Header())
	w.WriteHeader(http.StatusNoContent)
	return nil
}
