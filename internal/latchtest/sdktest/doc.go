// Package sdktest runs the JavaScript client library against a running server:
// it is built, its own tests run, it is packed, and what was packed is used by
// the example of the documents.
//
//	latchtest.Start ─▶ npm ci, build, test, pack ─▶ npm install of the package ─▶ docs/examples/js
package sdktest
