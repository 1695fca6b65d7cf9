package matrixtest

import (
	"net/http"
	"strings"
	"time"
)

// token is an access or refresh token.
type token struct {
	user, device, name string
	pair               string    // what was issued with it; "": nothing
	before             []string  // the pair in whose place this one came, until it is used
	end                time.Time // zero: never
}

// issue hands out a pair of tokens for a device. A login under the id of a
// device ends what it had; a refresh leaves the old pair good until the new one
// is used.
func (s *Server) issue(user, device, name string, wantsRefresh bool, before ...string) map[string]any {
	held := token{user: user, device: device, name: name, before: before}
	answer := map[string]any{}
	access := random("syt_")
	answer["access_token"] = access
	if wantsRefresh && s.options.Life > 0 {
		refresh := random("syr_")
		held.pair = refresh
		s.refresh[refresh] = &token{user: user, device: device, name: name, pair: access, before: before}
		answer["refresh_token"] = refresh
	}
	if s.options.Life > 0 {
		held.end = s.options.Now().Add(s.options.Life)
		answer["expires_in_ms"] = s.options.Life.Milliseconds()
	}
	s.access[access] = &held
	return answer
}

// use ends the pair that came before a token which is used for the first time.
func (s *Server) use(held *token) {
	for _, old := range held.before {
		delete(s.access, old)
		delete(s.refresh, old)
	}
	held.before = nil
}

// forget ends every token that fits.
func (s *Server) forget(fits func(*token) bool) {
	for _, tokens := range []map[string]*token{s.access, s.refresh} {
		for text, held := range tokens {
			if fits(held) {
				delete(tokens, text)
			}
		}
	}
}

// owner returns the access token of a request, or refuses the request.
func (s *Server) owner(w http.ResponseWriter, r *http.Request) (*token, bool) {
	text, given := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !given {
		refuse(w, http.StatusUnauthorized, "M_MISSING_TOKEN", "Missing access token")
		return nil, false
	}
	held := s.access[text]
	if held == nil {
		refuse(w, http.StatusUnauthorized, "M_UNKNOWN_TOKEN", "Invalid access token passed.")
		return nil, false
	}
	if !held.end.IsZero() && !s.options.Now().Before(held.end) {
		write(w, http.StatusUnauthorized, map[string]any{
			"errcode": "M_UNKNOWN_TOKEN", "error": "Access token has expired", "soft_logout": true,
		})
		return nil, false
	}
	s.use(held)
	return held, true
}

// takeRefresh rotates a pair.
func (s *Server) takeRefresh(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Refresh string `json:"refresh_token"`
	}
	if !read(w, r, &in) {
		return
	}
	held := s.refresh[in.Refresh]
	if held == nil {
		refuse(w, http.StatusUnauthorized, "M_UNKNOWN_TOKEN", "refresh token isn't valid anymore")
		return
	}
	s.use(held)
	write(w, http.StatusOK, s.issue(held.user, held.device, held.name, true, in.Refresh, held.pair))
}

// takeLogout ends a session and its device.
func (s *Server) takeLogout(w http.ResponseWriter, r *http.Request) {
	held, ok := s.owner(w, r)
	if !ok {
		return
	}
	s.forget(func(other *token) bool { return other.user == held.user && other.device == held.device })
	write(w, http.StatusOK, map[string]any{})
}

// Devices returns the devices of a user that are logged in: names by id.
func (s *Server) Devices(user string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.devicesOf(user)
}

func (s *Server) devicesOf(user string) map[string]string {
	devices := map[string]string{}
	for _, tokens := range []map[string]*token{s.access, s.refresh} {
		for _, held := range tokens {
			if held.user == user {
				devices[held.device] = held.name
			}
		}
	}
	return devices
}

// LogOut ends all that a device holds, as somebody else's client would. It is
// soft when the homeserver does it by itself.
func (s *Server) LogOut(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(func(held *token) bool { return held.user == user })
}

// ExpireAccess ends access tokens early, but no session.
func (s *Server) ExpireAccess(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, held := range s.access {
		if held.user == user {
			held.end = s.options.Now()
		}
	}
}
