package web

import "net/http"

// LastWord closes the connection after this answer, which is about a session
// that has ended: of an open one net/http keeps the last request and answer in
// its buffers, and the link in those is to be gone from memory.
func LastWord(header http.Header) { header["Connection"] = closing }

var closing = []string{"close"}
