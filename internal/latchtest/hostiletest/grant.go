package hostiletest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"time"
)

// codeLife is how long a code is good.
const codeLife = time.Minute

// grant is what a person has allowed.
type grant struct {
	client, redirectURI, challenge, nonce, scope string
	born                                         time.Duration // the server's age then
	used                                         bool
}

// authorize sends the person back at once: nobody has to be asked.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	asked := r.Form
	if uri := asked.Get("request_uri"); uri != "" {
		pushed, err := url.ParseQuery(uri[len(pushedPrefix):])
		if err != nil {
			http.Error(w, "unknown request_uri", http.StatusBadRequest)
			return
		}
		asked = pushed
	}
	code := rand.Text()
	s.mu.Lock()
	s.grants[code] = &grant{
		client: asked.Get("client_id"), redirectURI: asked.Get("redirect_uri"), challenge: asked.Get("code_challenge"),
		nonce: asked.Get("nonce"), scope: asked.Get("scope"), born: s.ahead,
	}
	s.mu.Unlock()
	query := url.Values{"code": {code}, "state": {asked.Get("state")}, "iss": {s.URL}}
	if bend := s.bent().Answer; bend != nil {
		bend(query)
	}
	back, err := url.Parse(asked.Get("redirect_uri"))
	if err != nil {
		http.Error(w, "redirect_uri", http.StatusBadRequest)
		return
	}
	back.RawQuery = query.Encode()
	w.Header().Set("Location", back.String())
	w.WriteHeader(http.StatusFound)
}

// pushedPrefix begins the name of a pushed request: the request itself follows.
const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

// push takes a request beforehand (RFC 9126).
func (s *Server) push(w http.ResponseWriter, r *http.Request) {
	if _, ok := client(r); !ok {
		answer(w, http.StatusUnauthorized, members{"error": "invalid_client"})
		return
	}
	answer(w, http.StatusCreated, members{"request_uri": pushedPrefix + r.PostForm.Encode(), "expires_in": 60})
}

// client returns the client that a request authenticates.
func client(r *http.Request) (string, bool) {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.Form.Get("client_id"), r.Form.Get("client_secret")
	}
	return id, secret == Secret
}

// redeem returns the grant of a code, "" or why there is none.
func (s *Server) redeem(r *http.Request) (*grant, string) {
	id, ok := client(r)
	if !ok {
		return nil, "invalid_client"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.grants[r.Form.Get("code")]
	if found == nil {
		return nil, "invalid_grant"
	}
	if s.mode.Careless {
		return found, ""
	}
	sum := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
	good := !found.used && s.ahead-found.born < codeLife && found.client == id && found.redirectURI == r.Form.Get("redirect_uri") &&
		found.challenge == base64.RawURLEncoding.EncodeToString(sum[:])
	found.used = true
	if !good {
		return nil, "invalid_grant"
	}
	return found, ""
}
