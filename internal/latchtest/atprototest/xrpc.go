package atprototest

import (
	"cmp"
	"fmt"
	"io"
	"net/http"

	"github.com/go-json-experiment/json"
)

// sessionAnswer is what createSession, refreshSession and getSession answer.
type sessionAnswer struct {
	DID     string   `json:"did"`
	Handle  string   `json:"handle"`
	Access  string   `json:"accessJwt,omitzero"`
	Refresh string   `json:"refreshJwt,omitzero"`
	Email   string   `json:"email,omitzero"`
	Factor  bool     `json:"emailAuthFactor"`
	Active  bool     `json:"active"`
	Status  string   `json:"status,omitzero"`
	DIDDoc  document `json:"didDoc"`
}

// answerOf returns the answer about an account.
func (s *Server) answerOf(a *account, access, refresh string) sessionAnswer {
	return sessionAnswer{
		DID: cmp.Or(s.claims, a.did), Handle: a.Handle, Access: access, Refresh: refresh, Email: "someone@example.com",
		Factor: a.SecondFactor, Active: a.status == "", Status: a.status, DIDDoc: s.documentOf(a),
	}
}

// createSession logs in.
func (s *Server) createSession(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Identifier string `json:"identifier"`
		Password   string `json:"password"`
		Code       string `json:"authFactorToken"`
	}
	if !read(w, r, &in) {
		return
	}
	if s.limited(in.Identifier) {
		w.Header().Set("RateLimit-Limit", "30")
		w.Header().Set("RateLimit-Remaining", "0")
		refuse(w, http.StatusTooManyRequests, "RateLimitExceeded", "Rate Limit Exceeded")
		return
	}
	a := s.find(in.Identifier)
	byApp := a != nil && a.AppPassword != "" && in.Password == a.AppPassword && a.status != "takendown"
	switch {
	case a == nil || (in.Password != a.Password && !byApp):
		refuse(w, http.StatusUnauthorized, "AuthenticationRequired", "Invalid identifier or password")
		return
	case in.Code != "" && (in.Code != a.code || a.code == ""):
		refuse(w, http.StatusBadRequest, "InvalidToken", "Token is invalid")
		return
	case in.Code != "" && !s.options.Now().Before(a.codeEnd):
		refuse(w, http.StatusBadRequest, "ExpiredToken", "Token is expired")
		return
	case in.Code == "" && a.SecondFactor && !byApp:
		a.sendCode(s.options.Now())
		refuse(w, http.StatusUnauthorized, "AuthFactorTokenRequired", "A sign in code has been sent to your email address")
		return
	case a.status == "takendown":
		refuse(w, http.StatusUnauthorized, "AccountTakedown", "Account has been taken down")
		return
	}
	if in.Code != "" {
		a.code = ""
	}
	access, refresh := s.issue(a.did, random(20), byApp)
	write(w, http.StatusOK, "application/json", s.answerOf(a, access, refresh))
}

// refreshSession rotates the tokens.
func (s *Server) refreshSession(w http.ResponseWriter, r *http.Request) {
	c, ok := s.bearer(w, r, false, scopeRefresh)
	if !ok {
		return
	}
	a := s.accounts[c.Subject]
	if a.status == "takendown" {
		refuse(w, http.StatusUnauthorized, "AccountTakedown", "Account has been taken down")
		return
	}
	access, refresh, ok := s.rotate(c.ID)
	if !ok {
		refuse(w, http.StatusBadRequest, "ExpiredToken", "Token has been revoked")
		return
	}
	write(w, http.StatusOK, "application/json", s.answerOf(a, access, refresh))
}

// deleteSession ends a session, also one that has ended.
func (s *Server) deleteSession(w http.ResponseWriter, r *http.Request) {
	if c, ok := s.bearer(w, r, true, scopeRefresh); ok {
		delete(s.sessions, c.ID)
	}
}

// getSession tells whose session it is.
func (s *Server) getSession(w http.ResponseWriter, r *http.Request) {
	if a, ok := s.owner(w, r); ok {
		write(w, http.StatusOK, "application/json", s.answerOf(a, "", ""))
	}
}

// owner returns the account of an access token.
func (s *Server) owner(w http.ResponseWriter, r *http.Request) (*account, bool) {
	c, ok := s.bearer(w, r, false, scopeAccess, scopeApp)
	return s.accounts[c.Subject], ok
}

// createAppPassword hands out what no proxy may pass on.
func (s *Server) createAppPassword(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.bearer(w, r, false, scopeAccess); ok {
		write(w, http.StatusOK, "application/json", map[string]string{"name": "x", "password": "aaaa-bbbb-cccc-dddd"})
	}
}

// describeServer tells what server it is.
func (s *Server) describeServer(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, "application/json", map[string]any{"did": "did:web:localhost", "availableUserDomains": []string{".test"}})
}

// getProfile answers as the AppView behind the PDS would.
func (s *Server) getProfile(w http.ResponseWriter, r *http.Request) {
	if s.options.Bare {
		refuse(w, http.StatusNotImplemented, "MethodNotImplemented", "Method Not Implemented")
		return
	}
	if _, ok := s.owner(w, r); !ok {
		return
	}
	a := s.find(r.URL.Query().Get("actor"))
	if a == nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "Profile not found")
		return
	}
	profile := map[string]any{"did": a.did, "handle": a.Handle, "displayName": a.Name, "postsCount": a.posts}
	if a.Avatar != "" {
		profile["avatar"] = a.Avatar
	}
	write(w, http.StatusOK, "application/json", profile)
}

// createRecord counts a post.
func (s *Server) createRecord(w http.ResponseWriter, r *http.Request) {
	a, ok := s.owner(w, r)
	if !ok {
		return
	}
	var in struct {
		Repo string `json:"repo"`
	}
	if !read(w, r, &in) {
		return
	}
	if in.Repo != a.did {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "repo is not yours")
		return
	}
	a.posts++
	write(w, http.StatusOK, "application/json", map[string]string{"uri": fmt.Sprintf("at://%s/app.bsky.feed.post/%d", a.did, a.posts)})
}

// read reads a JSON body.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil || json.Unmarshal(body, into) != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "Input must be JSON")
		return false
	}
	return true
}

// refuse answers with an XRPC error.
func refuse(w http.ResponseWriter, status int, name, message string) {
	write(w, status, "application/json", map[string]string{"error": name, "message": message})
}

// write answers with JSON.
func write(w http.ResponseWriter, status int, mediaType string, value any) {
	w.Header().Set("Content-Type", mediaType+"; charset=utf-8")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, value)
}
