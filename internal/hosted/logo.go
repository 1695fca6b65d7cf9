package hosted

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"latchkey"
	"latchkey/internal/web"
)

// Logo is a picture that was looked at before it is shown.
type Logo struct {
	Type string // media type
	Data []byte
}

// Logos finds the pictures of apps. They come from elsewhere and are shown as
// ours, so that no page asks another host for anything.
type Logos struct {
	// Find returns the picture at a URL, when it is fit to be shown.
	Find func(ctx context.Context, url string) (Logo, bool)
	// Mark is a keyed hash of a URL, the same on all replicas: only what a
	// client app has registered is fetched.
	Mark func(url string) string
}

// logoPatience is how long a page waits for its app's picture when it is drawn
// for the first time.
const logoPatience = time.Second

// path returns where the picture of the URL is served, or "" when there is
// none fit to be shown.
func (l Logos) path(ctx context.Context, logoURL string) string {
	if logoURL == "" || l.Find == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, logoPatience)
	defer cancel()
	if _, ok := l.Find(ctx, logoURL); !ok {
		return ""
	}
	return "/static/logos/" + l.Mark(logoURL) + "?" + url.Values{"url": {logoURL}}.Encode()
}

// serveAppLogo answers with the picture of an app. An SVG is a document, which
// as one of ours must not do anything when it is opened by itself.
func (d *door) serveAppLogo(w http.ResponseWriter, r *http.Request) {
	logoURL := r.URL.Query().Get("url")
	var logo Logo
	ok := d.config.Logos.Find != nil &&
		subtle.ConstantTimeCompare([]byte(r.PathValue("mark")), []byte(d.config.Logos.Mark(logoURL))) == 1
	if ok {
		logo, ok = d.config.Logos.Find(r.Context(), logoURL)
	}
	if !ok {
		web.WriteError(w, r, latchkey.Errorf(web.RouteNotFound, "there is no such picture"))
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	w.Header().Set("Content-Type", logo.Type)
	w.Header().Set("Content-Length", strconv.Itoa(len(logo.Data)))
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(logo.Data)
}
