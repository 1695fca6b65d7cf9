package hostiletest

import (
	"net/http"
	"net/url"
)

// Mode is one way to be hostile. What is nil is honest.
type Mode struct {
	Name        string // a sentence that says what the server does
	Metadata    func(published members)
	Answer      func(query url.Values) // of the authorization endpoint
	Careless    bool                   // every known code is good
	Token       func(issued members)   // the token endpoint's answer
	TokenText   string                 // the same, as text
	TokenStatus int                    // of TokenText
	Header      func(s *Server, header members)
	Claims      func(claims members)
	Body        func(claims []byte) []byte // the claims as text
	Sign        func(s *Server, input string) string
	Keys        func(s *Server, published members)
	Userinfo    func(who members)
	Revoke      func(w http.ResponseWriter, r *http.Request)
}

// set returns a function that sets a member.
func set(name string, value any) func(members) {
	return func(m members) { m[name] = value }
}

// drop returns a function that removes members.
func drop(names ...string) func(members) {
	return func(m members) {
		for _, name := range names {
			delete(m, name)
		}
	}
}

// header returns a function that sets a member of a token's header.
func header(name string, value any) func(*Server, members) {
	return func(_ *Server, m members) { m[name] = value }
}

// Modes returns every hostile mode. A client that believes one of them has a
// hole.
func Modes() []Mode {
	var all []Mode
	for _, some := range [][]Mode{answerModes(), tokenModes(), claimModes(), timeModes(), headerModes(), signatureModes(), keyModes(), profileModes(), metadataModes()} {
		all = append(all, some...)
	}
	return all
}
