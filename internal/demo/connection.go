package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"

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

// calls are what the shop asks the provider: who the person is, and their posts.
var calls = map[string]string{"self": "GET /v2/access/self", "posts": "GET /v2/access/proxy/posts"}

// chosen returns the customer's connection that a form names, and the form.
func (s *shop) chosen(w http.ResponseWriter, r *http.Request) (string, map[string]latchkey.Secret, error) {
	fields, err := web.DecodeForm(w, r)
	if err != nil {
		return "", nil, err
	}
	id := string(fields["connection"].Reveal())
	list, err := s.connections(r.Context())
	if err != nil {
		return "", nil, err
	}
	if !slices.ContainsFunc(list, func(c client.Connection) bool { return c.ID == id }) {
		return "", nil, latchkey.Errorf(latchkey.NotFound, "there is no such connection")
	}
	return id, fields, nil
}

// call asks the provider through Latchkey, without ever seeing a credential.
func (s *shop) call(w http.ResponseWriter, r *http.Request) error {
	id, fields, err := s.chosen(w, r)
	if err != nil {
		return err
	}
	what := string(fields["what"].Reveal())
	if calls[what] == "" {
		return latchkey.InvalidField("what", "must be self or posts")
	}
	said, err := s.ask(r.Context(), id, what)
	if err != nil {
		return err
	}
	s.news.add(s.config.Now(), "your backend", said.Call, fmt.Sprint(said.Status))
	if scripted(r) {
		return web.WriteJSON(w, http.StatusOK, said)
	}
	return s.draw(w, r, view{Answer: &said})
}

// ask makes one of the calls. What Latchkey or the provider refuses is an
// answer too.
func (s *shop) ask(ctx context.Context, id, what string) (answer, error) {
	said := answer{Call: calls[what], Status: http.StatusOK}
	if what == "self" {
		profile, err := s.client.Access.Self(ctx, id)
		if refused, ok := errors.AsType[*client.Error](err); ok {
			said.Status, said.Body = refused.Status, refused.Message
			return said, nil
		}
		if err != nil {
			return said, fmt.Errorf("ask who it is: %w", err)
		}
		body, err := json.Marshal(profile)
		if err != nil {
			return said, fmt.Errorf("encode the profile: %w", err)
		}
		said.Body = string(body[:min(len(body), maxAnswer)])
		return said, nil
	}
	response, err := s.client.Access.Do(ctx, id, client.ProxyRequest{Path: what})
	if err != nil {
		return said, fmt.Errorf("call through the proxy: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return said, fmt.Errorf("read the proxied answer: %w", err)
	}
	said.Status, said.Body = response.StatusCode, string(body)
	return said, nil
}

// disconnect ends a connection.
func (s *shop) disconnect(w http.ResponseWriter, r *http.Request) error {
	id, _, err := s.chosen(w, r)
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
