// Package catalogue holds what is public about well-known OAuth providers, one
// file each, so that an operator only brings the client that they registered.
//
//	providers/<id>.yaml ─▶ IDs, Find ─▶ oauth2.New(config, the operator's client)
//
// The files say what the providers' documentation says. None of them was tried
// against the live service, and whoever shows one says so (Untested).
package catalogue

import (
	"embed"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"latchkey/internal/connector/oauth2"
)

//go:embed providers/*.yaml
var files embed.FS

// Untested is what must be said of every provider of the catalogue.
const Untested = "from the documentation, not tested against the live service"

// entry is one file.
type entry struct {
	config oauth2.Config
	text   []byte
}

// entries are the files by id. A file that can't be read is a mistake of this
// package, which its tests find.
var entries = sync.OnceValue(func() map[string]entry {
	known := map[string]entry{}
	names, err := files.ReadDir("providers")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		text, err := files.ReadFile(path.Join("providers", name.Name()))
		if err != nil {
			panic(err)
		}
		config, err := oauth2.Parse(name.Name(), text)
		if err != nil {
			panic(fmt.Sprintf("catalogue: %v", err))
		}
		known[strings.TrimSuffix(name.Name(), ".yaml")] = entry{config, text}
	}
	return known
})

// IDs returns the ids of all providers, sorted.
func IDs() []string {
	ids := make([]string, 0, len(entries()))
	for id := range entries() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Find returns a provider by its id. Its maps and lists are shared and must not
// be changed.
func Find(id string) (oauth2.Config, bool) {
	found, ok := entries()[id]
	return found.config, ok
}

// place is where a variable stands in a domain, with the dot behind it.
var place = regexp.MustCompile(`\{\{([a-z0-9_]+)\}\}\.?`)

// Domains returns the sites of all providers, as far as they are known: where a
// customer's own name stands before one, the site is what is behind it.
func Domains() []string {
	var domains []string
	for _, id := range IDs() {
		config := entries()[id].config
		domain := place.ReplaceAllStringFunc(config.Domain, func(found string) string {
			return config.Variables[place.FindStringSubmatch(found)[1]].Default
		})
		if domain != "" {
			domains = append(domains, domain)
		}
	}
	return domains
}

// Text returns a provider's file as it stands, to begin a file of one's own
// with.
func Text(id string) ([]byte, bool) {
	found, ok := entries()[id]
	return slices.Clone(found.text), ok
}
