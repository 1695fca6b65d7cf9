// Package latchkey holds the words of an account-linking server: sessions and
// their legal transitions, connections, events, client apps, keys, ids, errors
// and secrets. It does no I/O and imports nothing else of this module; every
// room speaks in its types.
//
//	app backend ──init──▶ Session ──(consent, login, 2fa)──▶ Connection ──▶ Event ──▶ webhook
//	                      State                              Status                  │
//	app backend ◀────────────────────── proxy, credential never shown ◀─────────────┘
package latchkey
