package demo

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"time"

	"latchkey"
	"latchkey/internal/web"
	client "latchkey/sdk/go"
)

// Config is what the shop's operator has been given.
type Config struct {
	URL        string // of the server, without a path: the shop is served there too
	APIKey     string
	ClientApps map[latchkey.AppType]string
	Now        func() time.Time
}

// shop holds what the handlers share.
type shop struct {
	config Config
	client *client.Client
	news   news
	hook   hook
}

// customer is who shops here: a demo has only one.
const customer = "demo-customer"

//go:embed static
var static embed.FS

// Register adds the shop to the routes.
func Register(router *web.Router, config Config) error {
	calls, err := client.New(client.Config{BaseURL: config.URL, APIKey: config.APIKey})
	if err != nil {
		return fmt.Errorf("make the demo's client: %w", err)
	}
	s := &shop{config: config, client: calls}
	router.Browser("GET /demo", s.show)
	router.Browser("GET /callback", s.comeBack)
	router.Browser("POST /demo/link", s.link)
	router.Browser("POST /demo/call", s.call)
	router.Browser("POST /demo/disconnect", s.disconnect)
	router.Browser("GET /demo/news", s.tellNews)
	router.Public("POST /demo/webhook", http.HandlerFunc(s.hear))
	router.Public("GET /static/demo/"+assetHash+"/{file}", http.HandlerFunc(serveAsset))
	return nil
}

// assetHash changes with the shop's own files.
var assetHash = func() string {
	sum := sha256.New()
	for _, name := range []string{"demo.css", "demo.js"} {
		content, err := static.ReadFile("static/" + name)
		if err != nil {
			panic(fmt.Sprintf("read the demo's %s: %v", name, err))
		}
		sum.Write(content)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
}()

func serveAsset(w http.ResponseWriter, r *http.Request) {
	file := r.PathValue("file")
	if _, err := fs.Stat(static, "static/"+file); err != nil {
		web.WriteError(w, r, latchkey.Errorf(web.RouteNotFound, "there is no such file"))
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeFileFS(w, r, static, "static/"+file)
}

// returnURL is where a person comes back to, "" where the trial's apps have no
// redirect URI for this address: they have one for the loopback address.
func (s *shop) returnURL() string {
	if parsed, err := url.Parse(s.config.URL); err != nil || parsed.Hostname() != "127.0.0.1" {
		return ""
	}
	return s.config.URL + "/callback"
}

// scripted reports whether the shop's own script asks.
func scripted(r *http.Request) bool { return r.Header.Get("X-Demo-Script") != "" }
