// Package e2etest is the proof of the main job, end to end: real login
// servers, a real browser, both storage engines. It has only tests.
//
//	glewlwyd ◀── recipe ◀── Latchkey ◀── chromium, plain HTTP, JSON
//	                            └──▶ webhook ──▶ the Standard Webhooks library
package e2etest
