package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	client "latchkey/sdk/go"
)

const (
	maxHook   = 64 << 10        // bytes of a webhook's body
	tolerance = 5 * time.Minute // a signature may be this old
)

// hook is the shop's webhook endpoint. It is registered when the first link is
// asked for: looking at the shop changes nothing.
type hook struct {
	mu     sync.Mutex
	secret string
}

// listen registers the endpoint, in place of the one of an earlier start,
// whose secret is forgotten.
func (h *hook) listen(ctx context.Context, s *shop) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.secret != "" {
		return nil
	}
	address := s.config.URL + "/demo/webhook"
	for old, err := range s.client.WebhookEndpoints.All(ctx) {
		if err != nil {
			return fmt.Errorf("list the demo's endpoints: %w", err)
		}
		if old.URL != address {
			continue
		}
		if err := s.client.WebhookEndpoints.Delete(ctx, old.ID); err != nil {
			return fmt.Errorf("delete the demo's old endpoint: %w", err)
		}
	}
	made, err := s.client.WebhookEndpoints.Create(ctx, client.NewWebhookEndpoint{URL: address, Description: "the demo shop"})
	if err != nil {
		return fmt.Errorf("register the demo's endpoint: %w", err)
	}
	h.secret = made.Secret
	return nil
}

// hear takes a webhook, if its signature is Latchkey's.
func (s *shop) hear(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxHook))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	s.hook.mu.Lock()
	secret := s.hook.secret
	s.hook.mu.Unlock()
	event, err := client.VerifyWebhook(body, r.Header, []string{secret}, tolerance)
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.news.add(s.config.Now(), "webhook, signature verified", string(event.Type), event.ID)
	w.WriteHeader(http.StatusNoContent)
}
