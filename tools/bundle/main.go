// Command bundle makes the scripts that the server hands to browsers out of
// their TypeScript. It is run from the root of the repository, and its output
// is committed, so that building Latchkey needs neither Node nor esbuild.
//
//	internal/hosted/script/*.ts ──▶ internal/hosted/static/page.js
//	sdk/js/embed/src/*.ts       ──▶ internal/hosted/static/embed.js
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// bundle is one script for browsers.
type bundle struct{ entry, output string }

var bundles = []bundle{
	{"internal/hosted/script/page.ts", "page.js"},
	{"sdk/js/embed/src/script.ts", "embed.js"},
}

func main() {
	folder := flag.String("out", "internal/hosted/static", "folder the scripts are written to")
	flag.Parse()
	for _, b := range bundles {
		if err := b.make(*folder); err != nil {
			fmt.Fprintln(os.Stderr, "bundle:", err)
			os.Exit(1)
		}
	}
}

// make writes one script into the folder.
func (b bundle) make(folder string) error {
	made := api.Build(api.BuildOptions{
		EntryPoints: []string{b.entry},
		Bundle:      true,
		Format:      api.FormatIIFE,
		Target:      api.ES2019,
		Charset:     api.CharsetASCII, // read right wherever no charset is told
		LogLevel:    api.LogLevelSilent,

		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
	})
	if len(made.Errors) > 0 {
		return fmt.Errorf("%s: %s", b.entry, made.Errors[0].Text)
	}
	return os.WriteFile(filepath.Join(folder, b.output), made.OutputFiles[0].Contents, 0o644)
}
