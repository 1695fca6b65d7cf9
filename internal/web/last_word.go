package web

import "net/http"

// LastWord closes the connection after this answer, which is about a session
// that has ended: the server keeps the last request of an open connection in
// its buffers, and the link in that is to be gone from memory.
func LastWord(header http.Header) { header["Connection"] = closing }

var closing = []string{"close"}
