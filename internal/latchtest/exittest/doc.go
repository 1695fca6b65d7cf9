// Package exittest is a proxy for tests: HTTP CONNECT, the same over TLS, or
// SOCKS5, on loopback. It writes down what it is asked for, word for word, and
// leads every tunnel to one server of the test's, so that a destination on the
// Internet is never really connected to.
//
//	client ─▶ Proxy: log the target ─▶ To
package exittest
