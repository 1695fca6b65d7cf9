package app

import (
	"fmt"
	"net/url"
	"slices"

	"latchkey/internal/connector"
	"latchkey/internal/connector/all"
	"latchkey/internal/connector/catalogue"
	"latchkey/internal/connector/recipe"
	"latchkey/internal/hosted"
)

// maxRecipe bounds a recipe file, in bytes.
const maxRecipe = 256 << 10

// connectors returns every provider that is served here, by id. A provider of
// the parts stands in for the built-in one of its id.
func connectors(config Config, parts Parts) (map[string]connector.Connector, error) {
	served := map[string]connector.Connector{}
	list := slices.DeleteFunc(all.Connectors(parts.Now), func(builtIn connector.Connector) bool {
		return slices.ContainsFunc(parts.Connectors, func(own connector.Connector) bool {
			return own.Describe().ID == builtIn.Describe().ID
		})
	})
	list = append(list, parts.Connectors...)
	for _, entry := range config.Providers {
		made, err := oauthProvider(entry, config.Development)
		if err != nil {
			return nil, err
		}
		list = append(list, made)
	}
	for _, path := range config.Recipes {
		read, err := readRecipe(path, recipe.Options{Now: parts.Now, OAuth: oauthDomains(list)})
		if err != nil {
			return nil, err
		}
		list = append(list, read)
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
func readRecipe(path string, options recipe.Options) (*recipe.Connector, error) {
	text, err := readBounded(path, maxRecipe)
	if err != nil {
		return nil, fmt.Errorf("read recipe: %w", err)
	}
	parsed, err := recipe.Parse(path, text)
	if err != nil {
		return nil, err
	}
	return recipe.New(parsed, options)
}

// oauthDomains returns the sites of the providers at which people log in
// themselves, served here or only known: no recipe may ask for their passwords.
func oauthDomains(list []connector.Connector) []string {
	domains := catalogue.Domains()
	for _, provider := range list {
		if facts := provider.Describe(); facts.OwnPage {
			domains = append(domains, facts.Domain)
		}
	}
	return domains
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
