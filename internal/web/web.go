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
	"net/netip"
	"strings"
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
	// ErrorPage answers a person for whom no page could be drawn, once the
	// headers are set; nil: a bare page does.
	ErrorPage func(w http.ResponseWriter, r *http.Request, status int)
	Secure    bool               // served over HTTPS: send Strict-Transport-Security
	KeyRate   latchkey.RateLimit // of each key; zero: no bound
	// MissRate is how often an address may ask with a key or for a link that
	// does not exist, before it may not ask at all; zero: no bound.
	MissRate       latchkey.RateLimit
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	// Gate returns what bounds how much of a route is under way at once. It is
	// asked once a route; nil, or a nil Gate: no bound.
	Gate func(Route) *Gate
	// Context puts something around the context of every request; nil: nothing.
	Context func(context.Context) context.Context
	// Refusal turns an error of a part that can't be used now into the answer
	// that says so, and any other into nil; nil: none is known.
	Refusal func(error) error
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
	keys   *Buckets
	misses *Buckets
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
	KindArrival Kind = "arrival"
	KindPublic  Kind = "public"
)

// New returns a router without routes: everything is ROUTE_NOT_FOUND.
func New(config Config) *Router {
	if config.BodyTime == 0 {
		config.BodyTime = bodyTime
	}
	router := &Router{config: config, mux: http.NewServeMux(), cross: http.NewCrossOriginProtection()}
	router.keys, router.misses = NewBuckets(config.Now), NewBuckets(config.Now)
	router.mux.HandleFunc("/", noRoute)
	return router
}

// Routes lists what has been registered.
func (rt *Router) Routes() []Route { return rt.routes }

// API registers a route for backends: it needs a key with the scope, answers
// in JSON, and is never cached.
func (rt *Router) API(pattern string, scope latchkey.Scope, handler Handler) {
	gate := rt.add(Route{pattern, scope, KindAPI})
	rt.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		rt.serveAPI(w, r, gate, pattern, scope, handler)
	})
	if stem, ok := strings.CutSuffix(pattern, "/{path...}"); ok { // the multiplexer would redirect from it
		rt.mux.HandleFunc(stem, noRoute)
	}
}

// add lists a route and returns its gate.
func (rt *Router) add(route Route) *Gate {
	rt.routes = append(rt.routes, route)
	if rt.config.Gate == nil {
		return nil
	}
	return rt.config.Gate(route)
}

// noRoute answers where there is nothing.
func noRoute(w http.ResponseWriter, r *http.Request) {
	WriteError(w, r, latchkey.Errorf(RouteNotFound, "there is no such route"))
}

func (rt *Router) serveAPI(w http.ResponseWriter, r *http.Request, gate *Gate, pattern string, scope latchkey.Scope,
	handler Handler,
) {
	about := noteOf(r.Context())
	about.pattern = pattern
	err := gate.pass(about)
	if err == nil {
		defer about.leaveGate()
		err = rt.admit(w, r, about, scope)
	}
	if err == nil {
		err = handler(w, r)
	}
	if err != nil {
		WriteError(w, r, err)
	}
}

// Choice is one of several routes that net/http's multiplexer can't tell
// apart, since some path fits them both.
type Choice struct {
	Pattern string                   // as it is published
	Fits    func(*http.Request) bool // looks at the values of the wider pattern
	Handler Handler
}

// APIChoice registers routes for backends under one wider pattern. The first
// that fits is taken; a path that fits none is no route.
func (rt *Router) APIChoice(wider string, scope latchkey.Scope, choices ...Choice) {
	gates := make([]*Gate, len(choices))
	for i, choice := range choices {
		gates[i] = rt.add(Route{choice.Pattern, scope, KindAPI})
	}
	rt.mux.HandleFunc(wider, func(w http.ResponseWriter, r *http.Request) {
		for i, choice := range choices {
			if choice.Fits(r) {
				rt.serveAPI(w, r, gates[i], choice.Pattern, scope, choice.Handler)
				return
			}
		}
		noRoute(w, r)
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

// Arrival registers a route by which people leave for another site or come back
// from one: a plain navigation, which nobody may frame. Unlike the others it
// leaves the window to whoever opened it.
func (rt *Router) Arrival(pattern string, handler Handler) {
	rt.browser(pattern, KindArrival, handler)
}

func (rt *Router) browser(pattern string, kind Kind, handler Handler) {
	gate, headers := rt.add(Route{Pattern: pattern, Kind: kind}), rt.pageHeaders(kind)
	guarded := rt.cross.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := rt.guesses(w.Header(), r); err != nil {
			rt.writeErrorPage(w, r, err)
			return
		}
		if err := handler(w, r); err != nil {
			rt.writeErrorPage(w, r, err)
		}
	}))
	rt.cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rt.writeErrorPage(w, r, latchkey.Errorf(latchkey.Forbidden, "this form was sent from another site"))
	}))
	rt.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		headers.set(w.Header())
		about := noteOf(r.Context())
		about.pattern = pattern
		if err := gate.pass(about); err != nil {
			rt.writeErrorPage(w, r, err)
			return
		}
		defer about.leaveGate()
		guarded.ServeHTTP(w, r)
		if answer, ok := w.(*recorder); ok && answer.status == http.StatusNotFound {
			rt.missed(r)
		}
	})
}

// Public registers a route that needs no key and tells nothing about anybody:
// an asset, a probe, a description.
func (rt *Router) Public(pattern string, handler http.Handler) {
	rt.routes = append(rt.routes, Route{Pattern: pattern, Kind: KindPublic})
	rt.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		publicHeaders.set(w.Header())
		noteOf(r.Context()).pattern = pattern
		handler.ServeHTTP(w, r)
	})
}

// admit resolves the key of a request, takes a token of its bucket and checks
// its scope.
func (rt *Router) admit(w http.ResponseWriter, r *http.Request, about *note, scope latchkey.Scope) error {
	if err := rt.guesses(w.Header(), r); err != nil {
		return err
	}
	key, err := keyOf(r)
	if err != nil {
		return err
	}
	caller, err := rt.config.Authenticate(r.Context(), key)
	if latchkey.CodeOf(err) == latchkey.Unauthorized {
		rt.missed(r)
	}
	if err != nil {
		return err
	}
	about.caller = caller
	if rate := rt.config.KeyRate; rate != (latchkey.RateLimit{}) {
		if err := rt.keys.Take(w.Header(), caller.KeyID, rate); err != nil {
			return err
		}
	}
	if !caller.Has(scope) {
		return latchkey.Errorf(latchkey.Forbidden, "this key does not have the scope %s", scope)
	}
	return nil
}

// guesses refuses an address that has asked too often for what does not exist,
// before anything is looked up for it.
func (rt *Router) guesses(header http.Header, r *http.Request) error {
	rate := rt.config.MissRate
	if rate == (latchkey.RateLimit{}) {
		return nil
	}
	return rt.misses.Full(header, Address(r), rate)
}

// missed counts a request for what does not exist.
func (rt *Router) missed(r *http.Request) {
	if rate := rt.config.MissRate; rate != (latchkey.RateLimit{}) {
		_ = rt.misses.Take(http.Header{}, Address(r), rate)
	}
}
