// Package oidcpeertest runs an OpenID provider by strangers inside a test:
// npm's oidc-provider, which is certified by the OpenID Foundation and shares
// no line with what the house is made of.
//
//	Start(t, clients) ─▶ testdata/peer in t.TempDir() ─▶ npm ci ─▶ node server.mjs ─▶ its address
//	Peer.Follow ─▶ goes where a browser would ─▶ the answer to the callback
//	t.Cleanup ─▶ the server is killed; what it printed is shown when the test failed
//
// A machine without node and npm fails the test and says what to install.
package oidcpeertest
