// Package embedtest embeds links of a real Latchkey in the page of a real app,
// in a real browser: the SDK as the server hands it out, the page's own script,
// the messages between the two.
//
//	chromium ─▶ http://localhost:a   the app: testdata/host.js + /embed.js
//	              ├ dialog ▶ iframe ─▶ http://127.0.0.1:b/cs_…
//	              └ popup ───────────▶ http://127.0.0.1:b/cs_…
package embedtest
