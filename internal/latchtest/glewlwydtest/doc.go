// Package glewlwydtest runs a real login site inside a test: Debian's Glewlwyd
// single sign-on server, with passwords, one-time codes, session cookies, a
// profile API and logout.
//
//	Start(t) ─▶ free port ─▶ configuration + SQLite file in t.TempDir() ─▶ glewlwyd ─▶ answers ─▶ Server
//	Server.CreateUser, RequireOTP, RegisterTOTP ─▶ its admin API
//	t.Cleanup ─▶ SIGTERM, wait; its log is shown when the test failed
//
// A machine without the server fails the test and says what to install.
package glewlwydtest
