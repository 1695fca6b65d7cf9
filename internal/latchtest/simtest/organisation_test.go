package simtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/auth"
	"latchkey/internal/vault"
	"latchkey/internal/webhook"
)

// organisation is a tenant.
type organisation struct {
	number     int
	id, name   string
	key        string // never revoked
	second     latchkey.APIKey
	secondText string

	mu        sync.Mutex
	revokedAt time.Time // when the end of the second key was acknowledged
}

// secondRevoked returns when the end of the second key was acknowledged, zero
// when it was not.
func (o *organisation) secondRevoked() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.revokedAt
}

// sessionLife is how long a session lives: less than some people need.
const sessionLife = 90 // seconds

// found makes an organisation with two keys, an app and an endpoint.
func (w *world) found(t *testing.T, number int) *organisation {
	random, now := newRandom(w.dice.roll("organisation", fmt.Sprint(number))), time.Now()
	o := &organisation{
		number: number, id: latchkey.NewID(random, latchkey.PrefixOrganisation), name: fmt.Sprint("organisation-", number),
	}
	first, text := auth.NewKey(random, o.id, environment, "first", latchkey.AllScopes(), now)
	o.key = text
	o.second, o.secondText = auth.NewKey(random, o.id, environment, "second", latchkey.AllScopes(), now)
	sealing := vault.New(vault.Config{Keys: w.database.keys(time.Now, newRandom(w.dice.roll("keys", fmt.Sprint(number))))})
	endpoint := latchkey.WebhookEndpoint{
		ID: latchkey.NewID(random, latchkey.PrefixWebhookEndpoint), OrganisationID: o.id, Environment: environment,
		URL: o.url(), Events: []string{"*"}, Status: latchkey.EndpointEnabled, CreatedAt: now,
	}
	secret := webhook.NewSecret(random)
	defer secret.Zero()
	var err error
	if endpoint.SealedSecret, err = sealing.SealEndpointSecret(o.id, endpoint.ID, secret.Reveal()); err != nil {
		t.Fatal(err)
	}
	w.database.do(func() {
		err = w.database.store.CreateOrganisation(context.Background(), latchkey.Organisation{
			ID: o.id, Name: o.name, CreatedAt: now, Defaults: latchkey.Defaults{ExpiresIn: sessionLife * (1 + number)},
		}, []latchkey.APIKey{first, o.second}, []latchkey.ClientApp{{
			ID: latchkey.NewID(random, latchkey.PrefixClientApp), OrganisationID: o.id, Environment: environment,
			Type: latchkey.AppRedirect, Name: o.name, Domain: o.name + ".example", Providers: []string{bankID},
			RedirectURIs: []string{"https://" + o.name + ".example/back"},
			Permissions:  []latchkey.Permission{{Name: "profile:read", Purpose: "to show your name"}},
			CreatedAt:    now, UpdatedAt: now,
		}})
		if err == nil {
			err = w.database.store.CreateWebhookEndpoint(context.Background(), endpoint, latchkey.AuditRecord{
				OrganisationID: o.id, Environment: environment, Actor: "operator", Action: latchkey.AuditEndpointCreated,
				Subject: endpoint.ID, Detail: "{}", CreatedAt: now,
			})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}
