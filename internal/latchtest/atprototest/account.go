package atprototest

import (
	"crypto/rand"
	"encoding/base32"
	"slices"
	"strings"
	"time"
)

// Account is what an account is made of.
type Account struct {
	Handle       string
	Password     string
	AppPassword  string // "": none
	Name         string
	Avatar       string
	SecondFactor bool // a code by e-mail, except for the app password
}

// account is one with its state.
type account struct {
	Account
	did     string
	code    string
	codeEnd time.Time
	status  string // "": active
	posts   int
}

// codeLife is how long a code sent by e-mail is good.
const codeLife = 15 * time.Minute

// base32Lower is the alphabet of did:plc and, in capitals, of codes.
var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Create makes an account, its TXT record and its DID document, and returns
// its DID.
func (s *Server) Create(a Account) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	did := "did:plc:" + random(15)
	s.accounts[did] = &account{Account: a, did: did}
	s.records["_atproto."+a.Handle] = []string{"did=" + did}
	return did
}

// Code returns the code that was last sent to the account, "" for none.
func (s *Server) Code(did string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts[did].code
}

// Live counts the sessions of an account that can still be refreshed.
func (s *Server) Live(did string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	live := 0
	for _, session := range s.sessions {
		if session.did == did && session.end.After(s.options.Now()) && session.next == "" {
			live++
		}
	}
	return live
}

// SetPassword changes the password, which ends every session.
func (s *Server) SetPassword(did, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[did].Password = password
	s.forget(did)
}

// SetStatus makes an account "takendown" or "deactivated", or "" active again.
// A takedown ends every session.
func (s *Server) SetStatus(did, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[did].status = status
	if status == "takendown" {
		s.forget(did)
	}
}

// Rename gives an account another handle. The old one leads nowhere.
func (s *Server) Rename(did, handle string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, "_atproto."+s.accounts[did].Handle)
	s.accounts[did].Handle = handle
	s.records["_atproto."+handle] = []string{"did=" + did}
}

// Claim makes the PDS say that every session is of another DID.
func (s *Server) Claim(did string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims = did
}

// forget ends every session of an account.
func (s *Server) forget(did string) {
	for id, session := range s.sessions {
		if session.did == did {
			delete(s.sessions, id)
		}
	}
}

// find returns the account of a handle or DID.
func (s *Server) find(identifier string) *account {
	identifier = strings.ToLower(identifier)
	if found := s.accounts[identifier]; found != nil {
		return found
	}
	for _, candidate := range s.accounts {
		if candidate.Handle == identifier {
			return candidate
		}
	}
	return nil
}

// sendCode makes a code and "sends" it.
func (a *account) sendCode(now time.Time) {
	text := strings.ToUpper(random(7))[:10]
	a.code, a.codeEnd = text[:5]+"-"+text[5:], now.Add(codeLife)
}

// limited counts an attempt and reports whether there were more than 30 in five
// minutes.
func (s *Server) limited(identifier string) bool {
	now := s.options.Now()
	recent := slices.DeleteFunc(s.attempts[identifier], func(at time.Time) bool { return now.Sub(at) > 5*time.Minute })
	s.attempts[identifier] = append(recent, now)
	return len(recent) >= 30
}

// random returns n random bytes in base32.
func random(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // never fails
	return base32Lower.EncodeToString(raw)
}

// cut splits a text at its first space.
func cut(text string) (before, after string, found bool) { return strings.Cut(text, " ") }
