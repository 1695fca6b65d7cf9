// Package guardtest holds the hosted pages against those who would frame, forge,
// inject or deceive, and against what a page owes to everybody who reads it:
// the whole app, a real browser, and figures. It has only tests.
//
//	latchtest.Start ─▶ a link at every page ─▶ chromium: axe-core, keyboard, frames, forms, requests
//	                                       └─▶ plain HTTP: headers, state before and after
package guardtest
