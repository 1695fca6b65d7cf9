// Package hostiletest is an authorization server that can be everything that
// RFC 6819, RFC 8725 and RFC 9700 warn of. Its core is honest: codes are good
// once, for a while, and for one client, redirect URI and challenge. A Mode
// bends one thing of it.
//
//	Start(t) ─▶ Server ─▶ Bend(Mode) ─▶ authorize · token · userinfo · keys · metadata
//	                └─▶ Seen: what clients have sent
package hostiletest
