package hosted

import (
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"latchkey"
	"latchkey/internal/web"
)

// asset is a file of ours as it goes over the wire.
type asset struct {
	mediaType string
	tag       string // entity tag
	plain     []byte
	zipped    []byte // with gzip; nil when that is not smaller
}

// packed holds the assets, compressed once.
var packed = sync.OnceValue(func() map[string]asset {
	files, err := fs.ReadDir(Assets(), ".")
	if err != nil {
		panic(fmt.Sprintf("list embedded assets: %v", err))
	}
	all := map[string]asset{}
	for _, file := range files {
		plain, err := fs.ReadFile(Assets(), file.Name())
		if err != nil {
			panic(fmt.Sprintf("read embedded asset %s: %v", file.Name(), err))
		}
		sum := sha512.Sum384(plain)
		made := asset{mediaType: mime.TypeByExtension(path.Ext(file.Name())), plain: plain, tag: `"` + hex.EncodeToString(sum[:12]) + `"`}
		switch path.Ext(file.Name()) { // the machine's own table may say otherwise
		case ".js":
			made.mediaType = "text/javascript; charset=utf-8"
		case ".css":
			made.mediaType = "text/css; charset=utf-8"
		case ".svg":
			made.mediaType = "image/svg+xml"
		}
		var zipped bytes.Buffer
		writer, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
		if err != nil {
			panic(fmt.Sprintf("compress embedded asset: %v", err))
		}
		_, _ = writer.Write(plain) // into memory
		_ = writer.Close()
		if zipped.Len() < len(plain) {
			made.zipped = zipped.Bytes()
		}
		all[file.Name()] = made
	}
	return all
})

// serve answers with the file, compressed for who takes that.
func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", a.mediaType)
	header.Set("ETag", a.tag)
	header.Set("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == a.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := a.plain
	if a.zipped != nil && takesGzip(r.Header.Get("Accept-Encoding")) {
		body = a.zipped
		header.Set("Content-Encoding", "gzip")
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// takesGzip reads Accept-Encoding (RFC 9110, section 12.5.3).
func takesGzip(accepted string) bool {
	for _, coding := range strings.Split(accepted, ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight != "q=0" && !strings.HasPrefix(weight, "q=0.000")
		}
	}
	return false
}

// embedName is the file that apps put into their pages.
const embedName = "embed.js"

// EmbedPath is where the SDK of this build is, for ever: the path changes with
// its content.
func EmbedPath() string {
	return "/embed/" + strings.Trim(packed()[embedName].tag, `"`) + ".js"
}

// EmbedIntegrity is the SDK's hash, for the attribute integrity of a script
// element (Subresource Integrity, section 3.1).
func EmbedIntegrity() string {
	sum := sha512.Sum384(packed()[embedName].plain)
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}

// serveEmbed answers with the SDK. Pages of any origin may load it, and check
// what they have loaded.
func serveEmbed(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/"+embedName {
		w.Header().Set("Cache-Control", "public, max-age=300")
	} else if r.URL.Path == EmbedPath() {
		w.Header().Set("Cache-Control", immutable)
	} else {
		web.WriteError(w, r, latchkey.Errorf(web.RouteNotFound, "there is no such script"))
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	packed()[embedName].serve(w, r)
}
