package reference

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"sync"

	"latchkey"
	"latchkey/internal/web"
)

//go:embed static
var static embed.FS

// assetPrefix is where the page's files are served: it changes with their
// content, so that they may be kept for ever.
func assetPrefix() string { return "/static/" + assetHash() }

// assetHash returns the first 12 hexadecimal digits of the SHA-256 of all
// files.
var assetHash = sync.OnceValue(func() string {
	sum := sha256.New()
	err := fs.WalkDir(static, "static", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := static.ReadFile(path)
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", path, len(content), content)
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("read embedded assets: %v", err))
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
})

// serveAsset answers with one of the page's files.
func serveAsset(w http.ResponseWriter, r *http.Request) {
	path := "static/" + r.PathValue("file")
	if info, err := fs.Stat(static, path); err != nil || info.IsDir() {
		web.WriteError(w, r, latchkey.Errorf(web.RouteNotFound, "there is no such file"))
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeFileFS(w, r, static, path)
}
