package demo

import (
	"fmt"
	"io"
	"net/http"
	"slices"

	"latchkey"
	"latchkey/internal/web"
	client "latchkey/sdk/go"
)

// maxAnswer bounds what is shown of a provider's answer, in bytes.
const maxAnswer = 4 << 10

// answer is what the provider said through the proxy.
type answer struct {
	Call   string `json:"call"`
	Status int    `json:"status"`
	Body   string `json:"body"`
}

// chosen returns the customer's connection that a form names.
func (s *shop) chosen(w http.ResponseWriter, r *http.Request) (string, error) {
	fields, err := web.DecodeForm(w, r)
	if err != nil {
		return "", err
	}
	id := string(fields["connection"].Reveal())
	list, err := s.connections(r.Context())
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(list, func(c client.Connection) bool { return c.ID == id }) {
		return "", latchkey.Errorf(latchkey.NotFound, "there is no such connection")
	}
	return id, nil
}

// call asks the provider through the proxy, without ever seeing a credential.
func (s *shop) call(w http.ResponseWriter, r *http.Request) error {
	id, err := s.chosen(w, r)
	if err != nil {
		return err
	}
	response, err := s.client.Access.Do(r.Context(), id, client.ProxyRequest{Path: "posts"})
	if err != nil {
		return fmt.Errorf("call through the proxy: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the proxied answer: %w", err)
	}
	said := answer{Call: "GET /v2/access/proxy/posts", Status: response.StatusCode, Body: string(body)}
	s.news.add(s.config.Now(), "your backend", said.Call, fmt.Sprint(said.Status))
	if scripted(r) {
		return web.WriteJSON(w, http.StatusOK, said)
	}
	return s.draw(w, r, view{Answer: &said})
}

// disconnect ends a connection.
func (s *shop) disconnect(w http.ResponseWriter, r *http.Request) error {
	id, err := s.chosen(w, r)
	if err != nil {
		return err
	}
	if err := s.client.Connections.Disconnect(r.Context(), id); err != nil {
		return fmt.Errorf("disconnect: %w", err)
	}
	s.news.add(s.config.Now(), "your backend", "DELETE /v2/account/connections/"+id, "200")
	w.Header().Set("Location", "/demo")
	w.WriteHeader(http.StatusSeeOther)
	return nil
}
