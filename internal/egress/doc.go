// Package egress is the only way out of the building: every client that
// reaches another host is made here and handed to the room that needs it.
//
//	webhook ─▶ Client(Webhook)   ┐            scheme      DNS      address, port
//	link    ─▶ Client(Provider)  ├─▶ gate ─▶ https only ─▶ name ─▶ guard ─▶ dial ─▶ TLS ≥ 1.2
//	proxy   ─▶ Transport(Proxy)  ┘   no redirect, no cookie, no proxy from the environment
//
// The guard stands in the dialer, behind the resolver, and judges the address
// that is about to be connected to: a name that resolves to something else a
// moment after a check gains nothing by it. CheckURL judges a URL before it is
// stored; it helps the operator, the guard protects.
//
// The error of a Client is a *url.Error, whose text repeats the URL with all
// that its query may hold: log and show only what it wraps.
package egress
