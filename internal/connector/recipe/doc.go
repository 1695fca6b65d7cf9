// Package recipe is the engine of providers that are described by one YAML
// file: the fields to ask for, the requests to send, what their answers mean,
// and how a live connection is used, checked, renewed and ended. No provider
// needs Go code of its own.
//
//	YAML ─▶ Parse: safe reading ─▶ schema ─▶ lint ─▶ Recipe ─▶ New ─▶ Connector
//
//	Advance: prompt ─fields▶ step: request … request ─▶ answer ─▶ first rule that holds
//	           ▲                ▲                                  │
//	           ├──── refused ───┼──────────────────────────────────┤
//	           ├─ prompt, 2fa, wait ───────────────────────────────┤
//	           │                └────────── goto ──────────────────┤
//	           │                                                   ├─▶ locked, denied, unavailable, blocked
//	           └ state: cookies, saved values, forms               └─▶ done ─▶ profile ─▶ Done
//
//	Refresh: renew ─ alive ─▶ credential, with a new end
//	             └─ dead ─▶ login again, where the person has left the password ─▶ credential, or dead
//
// A recipe is not a program: rules are structured conditions, and texts know
// only the placeholders {{field.x}}, {{saved.x}} and {{cookie.x}}, which are
// expanded once and escaped for the place where they stand. What a person
// submits is never written into a URL or a state, and into a credential only
// where the recipe can log in again with it and the person has said so; except
// a plain text field (a user name) that the recipe saves by name.
//
// Every cookie belongs to the recipe's own host and is sent nowhere else, and
// so is a form that is taken over from a page.
package recipe
