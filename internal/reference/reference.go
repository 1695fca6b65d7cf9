// Package reference is the door for those who write programs: the published
// description of the API, as tools load it and as people read it.
//
//	openapi.yaml ─▶ document ─┬▶ JSON, with our own address ─▶ GET /openapi.json
//	                          └▶ page ─▶ templates/page.html ─▶ GET /docs/api
//	                                          └▶ /static/<hash>/reference.css
//
// Both are made once, when they are first asked for. The page is plain HTML
// without script; everything on it comes from the description, so that the two
// can't differ.
package reference

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"time"

	"latchkey/internal/web"
)

// Config says what is described.
type Config struct {
	Description []byte // OpenAPI 3.1 in YAML
	APIURL      string // where the API is, without a slash at the end
}

// Register adds the description, its page and what the page loads.
func Register(router *web.Router, config Config) {
	read := sync.OnceValues(func() (document, error) { return newDocument(config.Description) })
	asJSON := sync.OnceValues(func() (text, error) { return makeText(read, config.APIURL, document.encode) })
	asPage := sync.OnceValues(func() (text, error) { return makeText(read, config.APIURL, document.render) })

	router.Public("GET /openapi.json", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		made, err := asJSON()
		if err != nil {
			web.WriteError(w, r, err)
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", "*") // tools load it in browsers
		w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
		made.serve(w, r, "application/json")
	}))
	router.Browser("GET /docs/api", func(w http.ResponseWriter, r *http.Request) error {
		made, err := asPage()
		if err != nil {
			return err
		}
		made.serve(w, r, "text/html; charset=utf-8")
		return nil
	})
	router.Public("GET "+assetPrefix()+"/{file}", http.HandlerFunc(serveAsset))
}

// text is what is served, and the name of exactly this text.
type text struct {
	content []byte
	etag    string
}

func makeText(read func() (document, error), apiURL string, write func(document, *bytes.Buffer, string) error) (text, error) {
	described, err := read()
	if err != nil {
		return text{}, err
	}
	var content bytes.Buffer
	if err := write(described, &content, apiURL); err != nil {
		return text{}, err
	}
	sum := sha256.Sum256(content.Bytes())
	return text{content: content.Bytes(), etag: `"` + hex.EncodeToString(sum[:6]) + `"`}, nil
}

// serve answers with the whole text, or with 304 where the caller has it.
func (t text) serve(w http.ResponseWriter, r *http.Request, contentType string) {
	whole := r.Clone(r.Context())
	whole.Header.Del("Range")
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", t.etag)
	http.ServeContent(w, whole, "", time.Time{}, bytes.NewReader(t.content))
}
