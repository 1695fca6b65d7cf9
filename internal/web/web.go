// Package web is the HTTP kit: the only ways to add a route, one event per
// request, one writer of errors, bounded decoding, security headers.
//
//	request ─▶ Router.ServeHTTP: id, recover, log event
//	            ├─ API      apikey ─▶ scope ─▶ handler ─▶ WriteError
//	            ├─ Browser  cross-origin check ─▶ headers ─▶ handler ─▶ error page
//	            ├─ Framed   the same, framed by who the handler allows
//	            └─ Public   headers ─▶ handler, for assets and probes
package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"latchkey"
)

// Handler answers a request or returns the error to answer with. It must not
// return an error once it has begun to write.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Config says what the kit works with.
type Config struct {
	// Authenticate returns who a key belongs to, or an UNAUTHORIZED error.
	Authenticate func(ctx context.Context, key string) (latchkey.Caller, error)
	// Observe is told of every finished request; nil: nobody is.
	Observe func(pattern string, status int, took time.Duration)
	Secure  bool // served over HTTPS: send Strict-Transport-Security
	// BodyTime is how long a caller may take to send a body; 0: 15 seconds.
	BodyTime time.Duration
	Now      func() time.Time
	Random   io.Reader
	Log      *slog.Logger
}

// Router holds the routes of all doors.
type Router struct {
	config Config
	mux    *http.ServeMux
	cross  *http.CrossOriginProtection
	routes []Route
}

// Route is a registered route, for the tests that hold them against the
// published description.
type Route struct {
	Pattern string // as in net/http.ServeMux
	Scope   latchkey.Scope
	Kind    Kind
}

// Kind is how a route is guarded.
type Kind string

// The kinds of routes.
const (
	KindAPI     Kind = "api"
	KindBrowser Kind = "browser"
	KindFramed  Kind = "framed"
	KindPublic  Kind = "public"
)

// New returns a router without routes: everything is ROUTE_NOT_FOUND.
func New(config Config) *Router {
	if config.BodyTime == 0 {
		config.BodyTime = bodyTime
	}
	router := &Router{config: config, mux: http.NewServeMux(), cross: http.NewCrossOriginProtection()}
	router.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		WriteError(w, r, latchkey.Errorf(RouteNotFound, "there is no such route"))
	})
	return router
}

// Routes lists what has been registered.
func (rt *Router) Routes() []Route { return rt.routes }

// API registers a route for backends: it needs a key with the scope, answers
// in JSON, and is never cached.
func (rt *Router) API(pattern string, scope latchkey.Scope, handler Handler) {
	rt.routes = append(rt.routes, Route{pattern, scope, KindAPI})
	rt.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		apiHeaders(w.Header())
		note := noteOf(r.Context())
		note.pattern = pattern
		caller, err := rt.authenticate(r, scope)
		if err == nil {
			note.caller = caller
			err = handler(w, r)
		}
		if err != nil {
			WriteError(w, r, err)
		}
	})
}

// Browser registers a route for people: a page or a form of it. A POST from
// another site is refused, and nobody may frame it.
func (rt *Router) Browser(pattern string, handler Handler) {
	rt.browser(pattern, KindBrowser, handler)
}

// Framed registers a route for people that may be framed: the handler says by
// whom with AllowFraming, and until it does only its own origin may. It must
// rely on no cookie.
func (rt *Router) Framed(pattern string, handler Handler) {
	rt.browser(pattern, KindFramed, handler)
}

func (rt *Router) browser(pattern string, kind Kind, handler Handler) {
	rt.routes = append(rt.routes, Route{Pattern: pattern, Kind: kind})
	guarded := rt.cross.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := handler(w, r); err != nil {
			writeErrorPage(w, r, err)
		}
	}))
	rt.cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeErrorPage(w, r, latchkey.Errorf(latchkey.Forbidden, "this form was sent from another site"))
	}))
	rt.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		rt.pageHeaders(w.Header(), kind)
		noteOf(r.Context()).pattern = pattern
		guarded.ServeHTTP(w, r)
	})
}

// Public registers a route that needs no key and tells nothing about anybody:
// an asset, a probe, a description.
func (rt *Router) Public(pattern string, handler http.Handler) {
	rt.routes = append(rt.routes, Route{Pattern: pattern, Kind: KindPublic})
	rt.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		publicHeaders(w.Header())
		noteOf(r.Context()).pattern = pattern
		handler.ServeHTTP(w, r)
	})
}

// authenticate resolves the key of a request and checks its scope.
func (rt *Router) authenticate(r *http.Request, scope latchkey.Scope) (latchkey.Caller, error) {
	key, err := keyOf(r)
	if err != nil {
		return latchkey.Caller{}, err
	}
	caller, err := rt.config.Authenticate(r.Context(), key)
	if err != nil {
		return caller, err
	}
	if !caller.Has(scope) {
		return caller, latchkey.Errorf(latchkey.Forbidden, "this key does not have the scope %s", scope)
	}
	return caller, nil
}
