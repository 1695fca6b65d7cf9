// Package proxy is the pass-through door: /v2/access/*. The caller's request
// goes to the connection's provider with its credential, and the answer comes
// back as it is; the caller never sees the credential.
//
//	web.API ─▶ shape ─▶ rate ─▶ vault.Open ─▶ Streams ─▶ Authorizer ─▶ httputil.ReverseProxy ─▶ egress ─▶ provider
//	caller ◀── masked ◀── without Set-Cookie ◀── Keeper ◀── decoded ◀───────────────────────────────────┘
package proxy

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/vault"
	"latchkey/internal/web"
)

// Config says what the door works with.
type Config struct {
	Vault *vault.Vault
	// Transport is the way out of a connection, without a limit on the whole
	// time, for streams.
	Transport func(connection latchkey.Connection) http.RoundTripper
	Streams   *Streams // where calls are registered while they run
	Now       func() time.Time
	Log       *slog.Logger
}

// door holds the handlers.
type door struct {
	config  Config
	limits  limits
	buffers *bufferPool
	passing httputil.ReverseProxy // what all calls have in common
}

// methods are those that are passed on. CONNECT and TRACE are not: one opens
// tunnels, the other echoes credentials.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
	http.MethodOptions,
}

// Register adds the routes.
func Register(router *web.Router, config Config) {
	d := &door{
		config: config, limits: limits{web.NewBuckets(config.Now)}, buffers: newBufferPool(),
		passing: httputil.ReverseProxy{ErrorLog: slog.NewLogLogger(config.Log.Handler(), slog.LevelDebug)},
	}
	for _, method := range methods {
		if method != http.MethodHead { // GET has it
			router.API(method+" /v2/access/proxy/{path...}", latchkey.ScopeAccess, d.pass)
		}
	}
	router.API("GET /v2/access/self", latchkey.ScopeAccess, d.self)
}

// open admits the request to its connection and opens that.
func (d *door) open(w http.ResponseWriter, r *http.Request, purpose vault.Purpose) (*vault.Opened, error) {
	caller := web.Caller(r.Context())
	ids := r.Header.Values("x-connection-id")
	if len(ids) != 1 || !latchkey.ValidID(ids[0], latchkey.PrefixConnection) { // nothing else is remembered or logged
		return nil, latchkey.Errorf(latchkey.SessionNotProvided, "the header x-connection-id is missing, malformed or given twice")
	}
	web.Annotate(r.Context(), slog.String("connection", ids[0]))
	bucket := caller.OrganisationID + "/" + string(caller.Environment) + "/" + ids[0]
	if err := d.limits.take(w.Header(), bucket); err != nil {
		return nil, err
	}
	opened, err := d.config.Vault.Open(r.Context(), caller, ids[0], purpose)
	if err == nil {
		d.limits.adjust(w.Header(), bucket, opened.Connection.RateLimit)
	}
	return opened, err
}

// pass answers ANY /v2/access/proxy/<path>.
func (d *door) pass(w http.ResponseWriter, r *http.Request) error {
	if err := checkShape(w, r); err != nil {
		return err
	}
	opened, err := d.open(w, r, vault.PurposeProxy)
	if err != nil {
		return err
	}
	defer opened.Close()
	authorizer, ok := opened.Connector.(connector.Authorizer)
	if !ok {
		return latchkey.Errorf(latchkey.Forbidden, "this provider has no API to call")
	}
	base, err := authorizer.Base(opened.Credential)
	if err != nil {
		return &latchkey.Error{Code: latchkey.ProxyFailed, Message: "the provider can't be called", Err: err}
	}
	target, err := targetOf(base, r)
	if err != nil {
		return err
	}
	ctx, ended := d.config.Streams.begin(r.Context(), opened.Connection.ID)
	defer ended()
	c := &call{
		door: d, request: r.WithContext(ctx), opened: opened, authorizer: authorizer, target: target,
		hidden: conceal(opened), lent: lentBuffers{pool: d.buffers},
	}
	defer c.hidden.mask.forget()
	c.run(w)
	return nil
}

// transport returns the way to the provider: over the network, or into this
// process for a provider that lives here.
func (d *door) transport(opened *vault.Opened) http.RoundTripper {
	if local, ok := opened.Connector.(connector.Local); ok {
		return localTransport{local.Handler()}
	}
	return d.config.Transport(opened.Connection)
}
