package webhook

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"latchkey"
)

// EndpointStore keeps endpoints.
type EndpointStore interface {
	CreateWebhookEndpoint(ctx context.Context, endpoint latchkey.WebhookEndpoint) error
	WebhookEndpoint(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
	) (latchkey.WebhookEndpoint, error)
	WebhookEndpoints(ctx context.Context, organisationID string, environment latchkey.Environment, limit, offset int,
	) ([]latchkey.WebhookEndpoint, bool, error)
	DeleteWebhookEndpoint(ctx context.Context, organisationID string, environment latchkey.Environment, id string) error
}

// EndpointsConfig says what Endpoints works with.
type EndpointsConfig struct {
	Store    EndpointStore
	Seal     func(organisationID, endpointID string, secret []byte) ([]byte, error)
	CheckURL func(url string) error // refuses what may not be called
	Now      func() time.Time
	Random   io.Reader
}

// Endpoints is where organisations say where they want to be told.
type Endpoints struct{ config EndpointsConfig }

// NewEndpoints returns the room.
func NewEndpoints(config EndpointsConfig) *Endpoints { return &Endpoints{config: config} }

// NewEndpoint is what an operator asks for.
type NewEndpoint struct {
	URL         string
	Events      []string // empty: all
	Description string   // up to 255 characters
}

const maxDescription = 255

// Create registers an endpoint. The secret that its deliveries are signed with
// is returned once and kept sealed; zero it after use.
func (e *Endpoints) Create(ctx context.Context, caller latchkey.Caller, asked NewEndpoint,
) (latchkey.WebhookEndpoint, latchkey.Secret, error) {
	endpoint := latchkey.WebhookEndpoint{
		ID:             latchkey.NewID(e.config.Random, latchkey.PrefixWebhookEndpoint),
		OrganisationID: caller.OrganisationID, Environment: caller.Environment, URL: asked.URL, Events: asked.Events,
		Description: asked.Description, Status: latchkey.EndpointEnabled, CreatedAt: e.config.Now(),
	}
	if len(endpoint.Events) == 0 {
		endpoint.Events = []string{"*"}
	}
	if err := e.check(endpoint); err != nil {
		return endpoint, latchkey.Secret{}, err
	}
	secret := NewSecret(e.config.Random)
	sealed, err := e.config.Seal(endpoint.OrganisationID, endpoint.ID, secret.Reveal())
	if err != nil {
		return endpoint, latchkey.Secret{}, err
	}
	endpoint.SealedSecret = sealed
	if err := e.config.Store.CreateWebhookEndpoint(ctx, endpoint); err != nil {
		return endpoint, latchkey.Secret{}, err
	}
	return endpoint, secret, nil
}

func (e *Endpoints) check(endpoint latchkey.WebhookEndpoint) error {
	if err := e.config.CheckURL(endpoint.URL); err != nil {
		return err
	}
	for _, event := range endpoint.Events {
		if event != "*" && !slices.Contains(latchkey.EventTypes(), latchkey.EventType(event)) {
			return latchkey.InvalidField("events", "must be event types, or * for all")
		}
	}
	if len(endpoint.Events) > len(latchkey.EventTypes())+1 {
		return latchkey.InvalidField("events", "names a type more than once")
	}
	if utf8.RuneCountInString(endpoint.Description) > maxDescription || strings.Contains(endpoint.Description, "\x00") {
		return latchkey.InvalidField("description", "must have at most 255 characters, none of them NUL")
	}
	return nil
}

// List returns the caller's endpoints, newest first, and whether there are
// more.
func (e *Endpoints) List(ctx context.Context, caller latchkey.Caller, limit, offset int,
) ([]latchkey.WebhookEndpoint, bool, error) {
	return e.config.Store.WebhookEndpoints(ctx, caller.OrganisationID, caller.Environment, limit, offset)
}

// Get returns one of the caller's endpoints.
func (e *Endpoints) Get(ctx context.Context, caller latchkey.Caller, id string) (latchkey.WebhookEndpoint, error) {
	if !latchkey.ValidID(id, latchkey.PrefixWebhookEndpoint) {
		return latchkey.WebhookEndpoint{}, latchkey.Errorf(latchkey.NotFound, "no such webhook endpoint")
	}
	return e.config.Store.WebhookEndpoint(ctx, caller.OrganisationID, caller.Environment, id)
}

// Delete forgets an endpoint and what waits for it.
func (e *Endpoints) Delete(ctx context.Context, caller latchkey.Caller, id string) error {
	if !latchkey.ValidID(id, latchkey.PrefixWebhookEndpoint) {
		return latchkey.Errorf(latchkey.NotFound, "no such webhook endpoint")
	}
	return e.config.Store.DeleteWebhookEndpoint(ctx, caller.OrganisationID, caller.Environment, id)
}
