package demo

import (
	"fmt"
	"net/http"

	"latchkey"
	"latchkey/internal/web"
	client "latchkey/sdk/go"
)

// link asks for a link as the shop's backend: the script gets its URL, a plain
// form is sent there.
func (s *shop) link(w http.ResponseWriter, r *http.Request) error {
	if err := s.hook.listen(r.Context(), s); err != nil {
		return err
	}
	request := client.InitRequest{ClientReferenceID: customer, RedirectURL: s.returnURL()}
	request.ClientAppID = s.config.ClientApps[latchkey.AppRedirect]
	if scripted(r) {
		request.ClientAppID = s.config.ClientApps[latchkey.AppEmbed]
	}
	made, err := s.client.Link.Init(r.Context(), request)
	if err != nil {
		return fmt.Errorf("ask for the demo's link: %w", err)
	}
	s.news.add(s.config.Now(), "your backend", "POST /v2/link/init", made.SessionID)
	if scripted(r) {
		return web.WriteJSON(w, http.StatusOK, map[string]string{"url": made.URL})
	}
	w.Header().Set("Location", made.URL)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}
