package app

import (
	"fmt"
	"net/url"
	"os"

	"latchkey/internal/connector"
	"latchkey/internal/connector/all"
	"latchkey/internal/connector/recipe"
	"latchkey/internal/hosted"
)

// maxRecipe bounds a recipe file, in bytes.
const maxRecipe = 256 << 10

// connectors returns every provider that is served here, by id.
func connectors(config Config, parts Parts) (map[string]connector.Connector, error) {
	served := map[string]connector.Connector{}
	list := append(all.Connectors(parts.Now), parts.Connectors...)
	for _, path := range config.Recipes {
		read, err := readRecipe(path, recipe.Options{Now: parts.Now})
		if err != nil {
			return nil, err
		}
		list = append(list, read)
	}
	for _, entry := range config.Providers {
		made, err := oauthProvider(entry, config.Development)
		if err != nil {
			return nil, err
		}
		list = append(list, made)
	}
	for _, provider := range list {
		id := provider.Describe().ID
		if _, twice := served[id]; twice {
			return nil, fmt.Errorf("there are two providers called %s", id)
		}
		served[id] = provider
	}
	return served, nil
}

// readRecipe reads a provider from its file.
func readRecipe(path string, options recipe.Options) (connector.Connector, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read recipe: %w", err)
	}
	if info.Size() > maxRecipe {
		return nil, fmt.Errorf("read recipe: %s is larger than %d bytes", path, maxRecipe)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read recipe: %w", err)
	}
	parsed, err := recipe.Parse(path, text)
	if err != nil {
		return nil, err
	}
	return recipe.New(parsed, options)
}

// connector finds a provider by its id.
func (a *App) connector(id string) (connector.Connector, bool) {
	found, ok := a.connectors[id]
	return found, ok
}

// provider finds what the pages show of a provider.
func (a *App) provider(id string) (hosted.Provider, bool) {
	found, ok := a.connectors[id]
	if !ok {
		return hosted.Provider{}, false
	}
	facts := found.Describe()
	return hosted.Provider{ID: facts.ID, Name: facts.Name, Domain: facts.Domain, Logo: facts.Logo}, true
}

// scenarios lists how to log in to a provider at which nothing is real.
func (a *App) scenarios(id string) any {
	if rehearser, ok := a.connectors[id].(connector.Rehearser); ok {
		return rehearser.Scenarios()
	}
	return []connector.Scenario{}
}

// isHTTPS reports whether the pages are reached over TLS.
func isHTTPS(base string) bool {
	parsed, err := url.Parse(base)
	return err == nil && parsed.Scheme == "https"
}
