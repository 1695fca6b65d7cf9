package webhook

import (
	"context"
	"time"

	"latchkey"
)

// rotationTime is how long the secret before a rotation signs too.
const rotationTime = 24 * time.Hour

// EndpointPatch is what an operator changes; what is nil stays.
type EndpointPatch struct {
	URL         *string
	Events      *[]string // empty: all
	Description *string   // up to 255 characters
	RateLimit   *int      // deliveries in a second at most, up to MaxRate; 0: the server's default
	Status      *latchkey.EndpointStatus
}

// Update changes one of the caller's endpoints. Enabling one that is disabled or
// parked lets its whole queue go on at once; disabling holds it. Only attempts
// that are under way when Update returns still go to a URL from before.
func (e *Endpoints) Update(ctx context.Context, caller latchkey.Caller, id string, patch EndpointPatch,
) (latchkey.WebhookEndpoint, error) {
	change := latchkey.EndpointChange{
		OrganisationID: caller.OrganisationID, Environment: caller.Environment, ID: id,
		URL: patch.URL, Description: patch.Description, RateLimit: patch.RateLimit, At: e.config.Now(),
	}
	var fields []string
	if patch.URL != nil {
		fields = append(fields, "url")
	}
	if patch.Events != nil {
		fields = append(fields, "events")
		change.Events = *patch.Events
		if len(change.Events) == 0 {
			change.Events = []string{"*"}
		}
	}
	if patch.Description != nil {
		fields = append(fields, "description")
	}
	rateLimit := 0
	if patch.RateLimit != nil {
		fields = append(fields, "rateLimit")
		rateLimit = *patch.RateLimit
	}
	if patch.Status != nil {
		fields = append(fields, "status")
		change.Status = *patch.Status
		if change.Status != latchkey.EndpointEnabled && change.Status != latchkey.EndpointDisabled {
			return latchkey.WebhookEndpoint{}, latchkey.InvalidField("status", "must be enabled or disabled")
		}
	}
	if err := e.check(change.URL, change.Events, change.Description, rateLimit); err != nil {
		return latchkey.WebhookEndpoint{}, err
	}
	if len(fields) == 0 || !latchkey.ValidID(id, latchkey.PrefixWebhookEndpoint) {
		return e.Get(ctx, caller, id)
	}
	return e.config.Store.UpdateWebhookEndpoint(ctx, change,
		e.record(caller, id, latchkey.AuditEndpointUpdated, fields...))
}

// RotateSecret gives one of the caller's endpoints a new signing secret, which
// is returned once; zero it after use. The one before signs too for 24 hours,
// and one from before that no more.
func (e *Endpoints) RotateSecret(ctx context.Context, caller latchkey.Caller, id string,
) (latchkey.WebhookEndpoint, latchkey.Secret, error) {
	if !latchkey.ValidID(id, latchkey.PrefixWebhookEndpoint) {
		return latchkey.WebhookEndpoint{}, latchkey.Secret{}, errNoEndpoint
	}
	secret := NewSecret(e.config.Random)
	sealed, err := e.config.Seal(caller.OrganisationID, id, secret.Reveal())
	if err != nil {
		secret.Zero()
		return latchkey.WebhookEndpoint{}, latchkey.Secret{}, err
	}
	endpoint, err := e.config.Store.RotateEndpointSecret(ctx, latchkey.SecretRotation{
		OrganisationID: caller.OrganisationID, Environment: caller.Environment, EndpointID: id,
		SealedSecret: sealed, PreviousUntil: e.config.Now().Add(rotationTime),
	}, e.record(caller, id, latchkey.AuditSecretRotated, "secret"))
	if err != nil {
		secret.Zero()
		return latchkey.WebhookEndpoint{}, latchkey.Secret{}, err
	}
	return endpoint, secret, nil
}
