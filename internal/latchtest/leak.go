package latchtest

import (
	"os"
	"regexp"
)

// secretPattern is what secrets of ours look like, and tokens of the providers
// that exist in tests: client secrets, API keys, signing secrets. A key's
// prefix, by which people tell keys apart, is shorter.
var secretPattern = regexp.MustCompile(`\b(cs_|sk_sandbox_|sk_live_|whsec_|tok_|sbx_)[0-9A-Za-z_+/=.-]{24,}`)

// harvest takes up the secrets of a text.
func (s *Server) harvest(text string) {
	for _, found := range secretPattern.FindAllStringSubmatch(text, -1) {
		s.Secrets.Add(found[1]+"…", found[0])
	}
}

// tellLeaks fails the test if a secret stands in the log, however it is
// written. Every test of the whole app is one of this too.
func (s *Server) tellLeaks() {
	s.Secrets.Add("API key", s.Trial.APIKey)
	s.Secrets.Add("password", Password)
	for _, token := range s.Provider.Issued() {
		s.Secrets.Add("token", token)
	}
	if key, err := os.ReadFile(s.keyFile); err == nil {
		for _, part := range keyPattern.FindAllString(string(key), -1) {
			s.Secrets.Add("key of the vault", part)
		}
	}
	log := []byte(s.Log.Text())
	for _, finding := range s.Secrets.Find(log) {
		s.Errorf("the log holds a secret: %s", finding)
	}
	for _, found := range secretPattern.FindAllSubmatch(log, -1) {
		s.Errorf("the log holds what looks like a secret: %s…", found[1])
	}
}

// keyPattern is a key of the key file, in base64.
var keyPattern = regexp.MustCompile(`[0-9A-Za-z+/_-]{40,}=*`)
