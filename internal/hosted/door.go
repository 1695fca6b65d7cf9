package hosted

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// Provider is what the pages show of a provider.
type Provider struct {
	ID     string
	Name   string
	Domain string
	Logo   []byte // SVG
}

// Config says which room the door opens to.
type Config struct {
	Links    *link.Links
	Provider func(id string) (Provider, bool)
	// Scenarios lists how to log in to a provider of the sandbox, in the
	// published shape.
	Scenarios func(provider string) any
	Logos     Logos // of apps; zero: none is shown
	Secure    bool  // the pages are reached over TLS
	Now       func() time.Time
	// Leaving is closed when the process is about to end, so that no stream
	// holds it up; nil: it never is.
	Leaving <-chan struct{}
}

// door holds the handlers.
type door struct {
	config  Config
	streams streams
	drawn   *drawn
	// providers are those that are shown.
	providers providers
}

// immutable lets what is named by its content be kept for ever.
const immutable = "public, max-age=31536000, immutable"

// Register adds the pages and their assets.
func Register(router *web.Router, config Config) {
	d := &door{config: config, drawn: newDrawn(), providers: providers{describe: config.Provider}}
	for _, prefix := range []string{"/", "/s/"} {
		router.Framed("GET "+prefix+"{clientSecret}", d.show)
		router.Framed("POST "+prefix+"{clientSecret}", d.step)
	}
	router.Browser("GET "+reconnectPattern, d.reconnect)
	router.Browser("POST "+reconnectPattern, d.beginReconnect)
	router.Public("GET "+assetPrefix()+"/{file}", http.HandlerFunc(serveAsset))
	router.Framed("GET /s/{clientSecret}/events", d.events)
	router.Arrival("GET /s/{clientSecret}/provider", d.away)
	router.Arrival("GET "+link.CallbackPath+"{provider}/{organisation}", d.callback)
	router.Public("GET /"+embedName, http.HandlerFunc(serveEmbed))
	router.Public("GET /embed/{file}", http.HandlerFunc(serveEmbed))
	router.Public("GET /static/providers/{file}", http.HandlerFunc(d.serveLogo))
	router.Public("GET /static/logos/{mark}", http.HandlerFunc(d.serveAppLogo))
	router.Public("GET /static/accent/{file}", http.HandlerFunc(serveAccent))
}

var assetPrefix = sync.OnceValue(func() string { return "/static/" + AssetHash() })

// serveAsset answers with a file of the pages, to be kept for ever: the path
// changes with its content.
func serveAsset(w http.ResponseWriter, r *http.Request) {
	file, ok := packed()[r.PathValue("file")]
	if !ok {
		web.WriteError(w, r, latchkey.Errorf(web.RouteNotFound, "there is no such file"))
		return
	}
	w.Header().Set("Cache-Control", immutable)
	file.serve(w, r)
}

// serveLogo answers with a provider's logo.
func (d *door) serveLogo(w http.ResponseWriter, r *http.Request) {
	id, isSVG := strings.CutSuffix(r.PathValue("file"), ".svg")
	provider, ok := d.providers.find(id)
	if !ok || !isSVG || len(provider.Logo) == 0 {
		web.WriteError(w, r, latchkey.Errorf(web.RouteNotFound, "there is no such logo"))
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(provider.Logo)
}
