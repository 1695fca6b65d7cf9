package hosted

import "sync"

// shownProvider is a provider as the pages show it.
type shownProvider struct {
	Provider
	logoPath string // where its logo is served, or ""
}

// providers asks once for the facts of each provider, which are fixed.
type providers struct {
	describe func(id string) (Provider, bool)
	known    sync.Map // id → *shownProvider; of those there are
}

// find returns what is shown of a provider.
func (p *providers) find(id string) (*shownProvider, bool) {
	if known, ok := p.known.Load(id); ok {
		return known.(*shownProvider), true
	}
	provider, ok := p.describe(id)
	if !ok {
		return nil, false
	}
	shown := &shownProvider{Provider: provider}
	if len(provider.Logo) > 0 {
		shown.logoPath = "/static/providers/" + provider.ID + ".svg"
	}
	known, _ := p.known.LoadOrStore(id, shown)
	return known.(*shownProvider), true
}
