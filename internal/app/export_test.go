package app

import "latchkey/internal/link"

// Links returns the room of links, whose sweep tests call at a moment of their
// own.
func (a *App) Links() *link.Links { return a.links }
