package atprototest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// The lives of tokens, as the reference PDS has them.
const (
	accessLife  = 120 * time.Minute
	refreshLife = 90 * 24 * time.Hour
	graceLife   = 2 * time.Hour // of a refresh token that was used
)

// The scopes of tokens.
const (
	scopeAccess  = "com.atproto.access"
	scopeApp     = "com.atproto.appPass"
	scopeRefresh = "com.atproto.refresh"
)

// session is what a refresh token stands for.
type session struct {
	did  string
	app  bool // made with the app password
	end  time.Time
	next string // id of the token that followed; "": none yet
}

// claims are those of the JWTs.
type claims struct {
	Scope   string `json:"scope"`
	Subject string `json:"sub"`
	ID      string `json:"jti,omitzero"`
	Issued  int64  `json:"iat"`
	Expiry  int64  `json:"exp"`
}

// issue stores a session under the id and returns its two tokens.
func (s *Server) issue(did, id string, app bool) (access, refresh string) {
	now := s.options.Now()
	scope := scopeAccess
	if app {
		scope = scopeApp
	}
	if s.sessions[id] == nil {
		s.sessions[id] = &session{did: did, app: app, end: now.Add(refreshLife)}
	}
	access = s.sign(claims{Scope: scope, Subject: did, Issued: now.Unix(), Expiry: now.Add(accessLife).Unix()})
	refresh = s.sign(claims{Scope: scopeRefresh, Subject: did, ID: id, Issued: now.Unix(), Expiry: now.Add(refreshLife).Unix()})
	return access, refresh
}

// rotate follows a refresh token by the next. A token that was used brings the
// same next one until its grace is over; then, or if it is unknown, it is
// refused.
func (s *Server) rotate(id string) (access, refresh string, ok bool) {
	used := s.sessions[id]
	now := s.options.Now()
	if used == nil || !used.end.After(now) {
		return "", "", false
	}
	if grace := now.Add(graceLife); grace.Before(used.end) && used.next == "" {
		used.end = grace
	}
	if used.next == "" {
		used.next = random(20)
	}
	access, refresh = s.issue(used.did, used.next, used.app)
	return access, refresh, true
}

// sign returns a JWT (RFC 7519) with HMAC SHA-256.
func (s *Server) sign(c claims) string {
	header := `{"alg":"HS256","typ":"at+jwt"}`
	body, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(s.tag(text))
}

func (s *Server) tag(text string) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// bearer reads the token of a request, and refuses the request if it has none of
// the scopes. An expired one passes where that is allowed.
func (s *Server) bearer(w http.ResponseWriter, r *http.Request, allowExpired bool, scopes ...string) (claims, bool) {
	token, given := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !given {
		refuse(w, http.StatusUnauthorized, "AuthMissing", "Authentication Required")
		return claims{}, false
	}
	var c claims
	parts := strings.Split(token, ".")
	whole := len(parts) == 3
	if whole {
		tag, _ := base64.RawURLEncoding.DecodeString(parts[2])
		body, _ := base64.RawURLEncoding.DecodeString(parts[1])
		whole = hmac.Equal(tag, s.tag(parts[0]+"."+parts[1])) && json.Unmarshal(body, &c) == nil
	}
	if !whole {
		refuse(w, http.StatusBadRequest, "InvalidToken", "Token could not be verified")
		return claims{}, false
	}
	if !allowExpired && s.options.Now().Unix() >= c.Expiry {
		refuse(w, http.StatusBadRequest, "ExpiredToken", "Token has expired")
		return claims{}, false
	}
	for _, scope := range scopes {
		if c.Scope == scope {
			return c, true
		}
	}
	refuse(w, http.StatusBadRequest, "InvalidToken", "Bad token scope")
	return claims{}, false
}
