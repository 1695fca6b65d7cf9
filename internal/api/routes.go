// Package api is the JSON door: one file an endpoint, one row a route.
//
//	web.API ─▶ decode ─▶ one call into a room ─▶ encode
package api

import (
	"context"
	"net/http"

	"latchkey"
	"latchkey/internal/account"
	"latchkey/internal/link"
	"latchkey/internal/web"
	"latchkey/internal/webhook"
)

// Config says which rooms the door opens to.
type Config struct {
	Links     *link.Links
	Endpoints *webhook.Endpoints
	Events    *webhook.EventLog
	Accounts  *account.Account
}

// door holds the handlers.
type door struct {
	config  Config
	answers *statusAnswers
}

// route is one row of the API.
type route struct {
	pattern string
	scope   latchkey.Scope
	handler web.Handler
}

// Register adds every route of the API.
func Register(router *web.Router, config Config) {
	d := &door{config: config, answers: newStatusAnswers()}
	for _, row := range d.routes() {
		router.API(row.pattern, row.scope, row.handler)
	}
	// Both fit the path import/settings.
	router.APIChoice("PATCH /v2/account/connections/{id}/{part}", latchkey.ScopeAccount,
		web.Choice{
			Pattern: "PATCH /v2/account/connections/import/{id}", Handler: d.connectionReimport,
			Fits: func(r *http.Request) bool { return r.PathValue("id") == "import" },
		},
		web.Choice{
			Pattern: "PATCH /v2/account/connections/{id}/settings", Handler: d.connectionConfigure,
			Fits: func(r *http.Request) bool { return r.PathValue("part") == "settings" },
		})
}

func (d *door) routes() []route {
	return []route{
		{"POST /v2/link/init", latchkey.ScopeLink, d.linkInit},
		{"POST /v2/link/confirm", latchkey.ScopeLink, d.linkConfirm},
		{"GET /v2/link/sessions", latchkey.ScopeLink, d.linkSessions},
		{"GET /v2/link/{clientSecret}", latchkey.ScopeLink, d.linkStatus},
		{"DELETE /v2/link/{clientSecret}", latchkey.ScopeLink, d.linkDelete},
		{"POST /v2/link/{clientSecret}/submit", latchkey.ScopeLink, d.linkSubmit},
		{"GET /v2/link/sessions/{id}", latchkey.ScopeLink, d.linkSession},

		{"GET /v2/account/whoami", latchkey.ScopeAccount, d.whoami},
		{"GET /v2/account/settings", latchkey.ScopeAccount, d.settingsGet},
		{"PATCH /v2/account/settings", latchkey.ScopeAccount, d.settingsUpdate},
		{"GET /v2/account/connections", latchkey.ScopeAccount, d.connectionsList},
		{"GET /v2/connections", latchkey.ScopeAccount, d.connectionsList},
		{"GET /v2/account/connections/{id}", latchkey.ScopeAccount, d.connectionGet},
		{"POST /v2/account/connections/{id}/invalidate", latchkey.ScopeAccount, d.connectionInvalidate},
		{"DELETE /v2/account/connections/{id}", latchkey.ScopeAccount, d.connectionDelete},

		{"POST /v2/account/connections/import", latchkey.ScopeAccount, d.connectionImport},
		{"GET /v2/account/connections/{id}/settings", latchkey.ScopeAccount, d.connectionSettings},

		{"POST /v2/client-apps", latchkey.ScopeAdmin, d.clientAppCreate},
		{"GET /v2/client-apps", latchkey.ScopeAdmin, d.clientAppsList},
		{"GET /v2/client-apps/{id}", latchkey.ScopeAdmin, d.clientAppGet},
		{"PATCH /v2/client-apps/{id}", latchkey.ScopeAdmin, d.clientAppUpdate},
		{"DELETE /v2/client-apps/{id}", latchkey.ScopeAdmin, d.clientAppDelete},

		{"POST /v2/api-keys", latchkey.ScopeAdmin, d.apiKeyCreate},
		{"GET /v2/api-keys", latchkey.ScopeAdmin, d.apiKeysList},
		{"GET /v2/api-keys/{id}", latchkey.ScopeAdmin, d.apiKeyGet},
		{"PATCH /v2/api-keys/{id}", latchkey.ScopeAdmin, d.apiKeyUpdate},
		{"DELETE /v2/api-keys/{id}", latchkey.ScopeAdmin, d.apiKeyRevoke},

		{"GET /v2/audit", latchkey.ScopeAdmin, d.auditList},

		{"POST /v2/webhook-endpoints", latchkey.ScopeAdmin, d.endpointCreate},
		{"GET /v2/webhook-endpoints", latchkey.ScopeAdmin, d.endpointsList},
		{"GET /v2/webhook-endpoints/{id}", latchkey.ScopeAdmin, d.endpointGet},
		{"PATCH /v2/webhook-endpoints/{id}", latchkey.ScopeAdmin, d.endpointUpdate},
		{"DELETE /v2/webhook-endpoints/{id}", latchkey.ScopeAdmin, d.endpointDelete},
		{"POST /v2/webhook-endpoints/{id}/rotate-secret", latchkey.ScopeAdmin, d.endpointRotateSecret},
		{"GET /v2/webhook-endpoints/{id}/deliveries", latchkey.ScopeAdmin, d.deliveriesList},
		{"POST /v2/webhook-endpoints/{id}/replay", latchkey.ScopeAdmin, d.endpointReplay},
		{"GET /v2/events", latchkey.ScopeAdmin, d.eventsList},
	}
}

// ownSession returns the session that a client secret opens, if it is the
// caller's; any other is not found.
func (d *door) ownSession(ctx context.Context, secret string) (*latchkey.LinkSession, error) {
	session, err := d.config.Links.Find(ctx, secret)
	if err != nil {
		return nil, err
	}
	caller := web.Caller(ctx)
	if session.OrganisationID != caller.OrganisationID || session.Environment != caller.Environment {
		return nil, latchkey.Errorf(latchkey.NotFound, "no such session")
	}
	return session, nil
}
