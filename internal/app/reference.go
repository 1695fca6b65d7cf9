package app

import (
	"latchkey/internal/api"
	"latchkey/internal/reference"
)

// registerReference adds the description of the API, for tools and for people.
func (a *App) registerReference() {
	reference.Register(a.router, reference.Config{Description: api.Description(), APIURL: a.config.APIURL})
}
