// Package sdktest runs the JavaScript packages against a running server: each
// is built and packed, and what was packed is used, by the example of the
// documents or by a page in a browser.
//
//	latchtest.Start ─▶ npm ci, build, test, pack ─▶ npm install of the package ─▶ docs/examples/js
//	                                           embed, react ─▶ a page in chromium ─▶ link
package sdktest
