// Package mediawikitest runs a real site with a login form inside a test:
// Debian's MediaWiki on PHP's own web server, with CSRF tokens, session
// cookies, a JSON API and a logout.
//
//	Start(t) ─▶ its installer in t.TempDir() ─▶ php -S on a free port ─▶ answers ─▶ Server
//	Server.CreateUser ─▶ its maintenance script
//	t.Cleanup ─▶ SIGTERM, wait; its log is shown when the test failed
//
// A machine without it fails the test and says what to install.
package mediawikitest
