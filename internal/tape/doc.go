// Package tape watches what goes between a recipe and its provider: to show it
// to whoever writes the recipe, to keep it as a fixture, and to play it again
// without the provider. What it shows and keeps holds no secret.
//
//	Watcher (around the transport) ─▶ Exchange ─▶ Learn: what in it is secret ─▶ Scrub ─▶ shown
//	                                         └▶ Save: scrubbed files ─▶ Hunt: none of the secrets is left
//	Load ─▶ Player (in place of the transport) ─▶ the recorded answers, for the recorded requests only
package tape
