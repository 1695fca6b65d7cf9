package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"latchkey"
	"latchkey/internal/connector/catalogue"
	"latchkey/internal/connector/oauth2"
	"latchkey/internal/link"
	"latchkey/internal/store"
)

// CataloguedProvider is what a list tells of a provider of the catalogue.
type CataloguedProvider struct {
	ID            string   `json:"id"`
	Name          string   `json:"name"`
	Documentation string   `json:"documentation"`
	Permissions   []string `json:"permissions"`
	Variables     []string `json:"variables"` // that the operator fills in
	Tested        bool     `json:"tested"`    // against the live service: none is
}

// CatalogueNote is what must be said of every provider of the catalogue.
const CatalogueNote = catalogue.Untested

// CataloguedProviders returns the providers of the catalogue, by id.
func CataloguedProviders() []CataloguedProvider {
	ids := catalogue.IDs()
	list := make([]CataloguedProvider, 0, len(ids))
	for _, id := range ids {
		found, _ := catalogue.Find(id)
		list = append(list, CataloguedProvider{
			ID: id, Name: found.Name, Documentation: found.Documentation,
			Permissions: named(found.Permissions), Variables: named(found.Variables),
		})
	}
	return list
}

// PermissionName is a name by which the catalogue's providers know a
// permission, and what it means.
type PermissionName = catalogue.Permission

// PermissionNames returns them, sorted.
func PermissionNames() []PermissionName { return catalogue.Permissions() }

// named returns the sorted keys of a map, never nil.
func named[V any](all map[string]V) []string {
	names := make([]string, 0, len(all))
	names = slices.AppendSeq(names, maps.Keys(all))
	slices.Sort(names)
	return names
}

// ProviderFile returns the file of a provider of the catalogue.
func ProviderFile(id string) ([]byte, error) {
	text, ok := catalogue.Text(id)
	if !ok {
		return nil, unknownProvider(id)
	}
	return text, nil
}

func unknownProvider(id string) error {
	return fmt.Errorf("there is no provider %q in the catalogue; `latchkey providers list` shows those that are", id)
}

// InspectProvider returns every mistake of a provider's file and, where it has
// none, what is doubtful in it. Each begins with the file and its line.
func InspectProvider(path string) (mistakes, doubts []string, err error) {
	text, err := readBounded(path, maxRecipe)
	if err != nil {
		return nil, nil, fmt.Errorf("read provider: %w", err)
	}
	mistakes, doubts = oauth2.Inspect(path, text)
	return mistakes, doubts, nil
}

// shown is a provider as an operator is told of it.
type shown struct {
	oauth2.Config
	file      string // "": of the catalogue
	linkURL   string // "": not known
	callbacks []registered
	trouble   error // why there are no callbacks
}

// registered is a callback URL, to be registered at the provider.
type registered struct{ url, organisation string }

// find finds a provider in the catalogue, or among the files of a
// configuration.
func find(id string, config *Config) (shown, error) {
	if found, ok := catalogue.Find(id); ok {
		return shown{Config: found}, nil
	}
	if config != nil {
		for _, entry := range config.Providers {
			if entry.File == "" {
				continue
			}
			own, err := entry.describe()
			if err != nil {
				return shown{}, err
			}
			if own.ID == id {
				return shown{Config: own, file: entry.File}, nil
			}
		}
	}
	return shown{}, unknownProvider(id)
}

// lookLimit is how long the database has to answer somebody who only looks.
const lookLimit = 5 * time.Second

// register fills in the callback URLs that a configuration makes.
func (s *shown) register(ctx context.Context, config Config) error {
	config, err := config.complete()
	if err != nil {
		return err
	}
	s.linkURL = config.LinkURL
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	organisations, err := organisations(ctx, config)
	if s.trouble = err; err != nil {
		return nil
	}
	for _, organisation := range organisations {
		url := link.CallbackURL(config.LinkURL, s.ID, organisation.ID)
		s.callbacks = append(s.callbacks, registered{url, cmp.Or(organisation.Name, organisation.ID)})
	}
	if len(s.callbacks) == 0 {
		s.trouble = errors.New("there is no organisation yet: `latchkey setup` makes one")
	}
	return nil
}

// organisations reads the organisations of a configuration's database. It makes
// none where there is none.
func organisations(ctx context.Context, config Config) (found []latchkey.Organisation, err error) {
	path := filepath.Join(config.Data, "latchkey.db")
	if config.DatabaseURL == "" {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("there is no database yet: `latchkey setup` makes one (%w)", err)
		}
	}
	opened, err := store.Open(ctx, store.Config{URL: config.DatabaseURL, Path: path})
	if err != nil {
		return nil, fmt.Errorf("the database can't be reached: %w", err)
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	return opened.Organisations(ctx)
}
