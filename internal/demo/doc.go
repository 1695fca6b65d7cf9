// Package demo is a small shop beside `latchkey dev`: an app as a newcomer would
// write it, which links accounts by redirect, dialog and window, hears the
// messages and webhooks, and calls the provider through the proxy. It has a key
// and knows the wire, like any other app; it is never part of `latchkey serve`.
//
//	person ─▶ GET /demo ─▶ POST /demo/link ─▶ POST /v2/link/init ─▶ the hosted page
//	             ▲                                                        │ redirect
//	             └── GET /callback ◀──────────────────────────────────────┘
//	POST /demo/webhook (signed) ─▶ news ─▶ GET /demo/news
//	POST /demo/call ─▶ GET /v2/access/…        POST /demo/disconnect
package demo
