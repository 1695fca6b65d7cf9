package webhook

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"latchkey"
)

// EndpointStore keeps endpoints, each change together with its record.
type EndpointStore interface {
	CreateWebhookEndpoint(ctx context.Context, endpoint latchkey.WebhookEndpoint, record latchkey.AuditRecord) error
	WebhookEndpoint(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
	) (latchkey.WebhookEndpoint, error)
	WebhookEndpoints(ctx context.Context, organisationID string, environment latchkey.Environment, limit, offset int,
	) ([]latchkey.WebhookEndpoint, bool, error)
	UpdateWebhookEndpoint(ctx context.Context, change latchkey.EndpointChange, record latchkey.AuditRecord,
	) (latchkey.WebhookEndpoint, error)
	RotateEndpointSecret(ctx context.Context, rotation latchkey.SecretRotation, record latchkey.AuditRecord,
	) (latchkey.WebhookEndpoint, error)
	DeleteWebhookEndpoint(ctx context.Context, organisationID string, environment latchkey.Environment, id string,
		record latchkey.AuditRecord) error
}

// EndpointsConfig says what Endpoints works with.
type EndpointsConfig struct {
	Store    EndpointStore
	History  HistoryStore
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
	RateLimit   int      // deliveries in a second at most, up to MaxRate; 0: the server's default
}

const maxDescription = 255

// Create registers an endpoint. The secret that its deliveries are signed with
// is returned once and kept sealed; zero it after use.
func (e *Endpoints) Create(ctx context.Context, caller latchkey.Caller, asked NewEndpoint,
) (latchkey.WebhookEndpoint, latchkey.Secret, error) {
	endpoint := latchkey.WebhookEndpoint{
		ID:             latchkey.NewID(e.config.Random, latchkey.PrefixWebhookEndpoint),
		OrganisationID: caller.OrganisationID, Environment: caller.Environment, URL: asked.URL, Events: asked.Events,
		Description: asked.Description, RateLimit: asked.RateLimit, Status: latchkey.EndpointEnabled,
		CreatedAt: e.config.Now(),
	}
	if len(endpoint.Events) == 0 {
		endpoint.Events = []string{"*"}
	}
	if err := e.check(&endpoint.URL, endpoint.Events, &endpoint.Description, endpoint.RateLimit); err != nil {
		return endpoint, latchkey.Secret{}, err
	}
	secret := NewSecret(e.config.Random)
	sealed, err := e.config.Seal(endpoint.OrganisationID, endpoint.ID, secret.Reveal())
	if err != nil {
		secret.Zero()
		return endpoint, latchkey.Secret{}, err
	}
	endpoint.SealedSecret = sealed
	fields := []string{"url", "events", "description"}
	if endpoint.RateLimit > 0 {
		fields = append(fields, "rateLimit")
	}
	record := e.record(caller, endpoint.ID, latchkey.AuditEndpointCreated, fields...)
	if err := e.config.Store.CreateWebhookEndpoint(ctx, endpoint, record); err != nil {
		secret.Zero()
		return endpoint, latchkey.Secret{}, err
	}
	return endpoint, secret, nil
}

// check judges what is given of an endpoint.
func (e *Endpoints) check(url *string, events []string, description *string, rateLimit int) error {
	if url != nil {
		if err := e.config.CheckURL(*url); err != nil {
			return err
		}
	}
	for _, event := range events {
		if event != "*" && !slices.Contains(latchkey.EventTypes(), latchkey.EventType(event)) {
			return latchkey.InvalidField("events", "must be event types, or * for all")
		}
	}
	if len(events) > len(latchkey.EventTypes())+1 {
		return latchkey.InvalidField("events", "names a type more than once")
	}
	if rateLimit < 0 || rateLimit > MaxRate {
		return latchkey.InvalidField("rateLimit", "must be a number from 1 to "+strconv.Itoa(MaxRate)+", or null")
	}
	if description != nil && (utf8.RuneCountInString(*description) > maxDescription || strings.Contains(*description, "\x00")) {
		return latchkey.InvalidField("description", "must have at most 255 characters, none of them NUL")
	}
	return nil
}

// record says who changed which fields of an endpoint; what they hold is left
// out, since a URL may carry a token.
func (e *Endpoints) record(caller latchkey.Caller, id string, action latchkey.AuditAction, fields ...string,
) latchkey.AuditRecord {
	detail := "{}"
	if len(fields) > 0 {
		detail = `{"fields":["` + strings.Join(fields, `","`) + `"]}`
	}
	return latchkey.AuditRecord{
		OrganisationID: caller.OrganisationID, Environment: caller.Environment, Actor: caller.KeyID, Action: action,
		Subject: id, Detail: detail, CreatedAt: e.config.Now(),
	}
}

// errNoEndpoint is the answer to an id that can't be one.
var errNoEndpoint = latchkey.Errorf(latchkey.NotFound, "no such webhook endpoint")

// List returns the caller's endpoints, newest first, and whether there are
// more.
func (e *Endpoints) List(ctx context.Context, caller latchkey.Caller, limit, offset int,
) ([]latchkey.WebhookEndpoint, bool, error) {
	return e.config.Store.WebhookEndpoints(ctx, caller.OrganisationID, caller.Environment, limit, offset)
}

// Get returns one of the caller's endpoints.
func (e *Endpoints) Get(ctx context.Context, caller latchkey.Caller, id string) (latchkey.WebhookEndpoint, error) {
	if !latchkey.ValidID(id, latchkey.PrefixWebhookEndpoint) {
		return latchkey.WebhookEndpoint{}, errNoEndpoint
	}
	return e.config.Store.WebhookEndpoint(ctx, caller.OrganisationID, caller.Environment, id)
}

// Delete forgets an endpoint and what waits for it.
func (e *Endpoints) Delete(ctx context.Context, caller latchkey.Caller, id string) error {
	if !latchkey.ValidID(id, latchkey.PrefixWebhookEndpoint) {
		return errNoEndpoint
	}
	return e.config.Store.DeleteWebhookEndpoint(ctx, caller.OrganisationID, caller.Environment, id,
		e.record(caller, id, latchkey.AuditEndpointDeleted))
}
