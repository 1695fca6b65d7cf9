// Package browsertest is the proof that a link ends well in a real browser,
// however its app shows it and whatever a person does. It has only tests.
//
//	site (http://localhost)  ──redirect│iframe│popup──▶  Latchkey (http://127.0.0.1)
//	  └ records messages with origin and source,            └ sandbox scenarios,
//	    and what comes to its callback                        state, connection, webhook
//
// Each person in the browser has a profile of their own.
package browsertest
