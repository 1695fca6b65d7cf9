package hosted

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"sync"
)

//go:embed static
var static embed.FS

// Assets returns what the pages load: link.css, icons.svg and icon.svg. They
// never change under one AssetHash, so they may be cached for ever.
func Assets() fs.FS {
	assets, err := fs.Sub(static, "static")
	if err != nil {
		panic(fmt.Sprintf("open embedded assets: %v", err))
	}
	return assets
}

// AssetHash returns the first 12 hexadecimal digits of the SHA-256 of all
// assets.
func AssetHash() string { return hashAssets() }

var hashAssets = sync.OnceValue(func() string {
	sum := sha256.New()
	assets := Assets()
	err := fs.WalkDir(assets, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(assets, path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(content), content)
		return err
	})
	if err != nil {
		panic(fmt.Sprintf("read embedded assets: %v", err))
	}
	return hex.EncodeToString(sum.Sum(nil))[:12]
})
