package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// The bounds of an address, RFC 5321 section 4.5.3.1.
const (
	maxAddress = 254
	maxLocal   = 64
)

// account is what an address stands for. It holds no secret, and not the
// address either: the seed is enough to derive the person.
type account struct {
	Seed      string      `json:"seed"` // 128 bits of the address's hash, in hexadecimal
	Type      accountType `json:"type"`
	Behaviour behaviour   `json:"behaviour,omitzero"`
	App       bool        `json:"app,omitzero"` // an authenticator app's code is wanted, or may be chosen
}

// parseAddress returns the account of an address, and false for everything
// that is not {any}@{scenario}.sandbox.com. The case of letters and
// surrounding spaces don't matter; what stands before the "@" is an atom of
// RFC 5322 section 3.2.3, with dots anywhere.
func parseAddress(text []byte) (account, bool) {
	if len(text) > maxAddress {
		return account{}, false
	}
	address := strings.ToLower(strings.TrimSpace(string(text)))
	local, host, _ := strings.Cut(address, "@")
	if local == "" || len(local) > maxLocal || strings.ContainsFunc(local, notAtom) {
		return account{}, false
	}
	label, found := strings.CutSuffix(host, "."+domain)
	if !found {
		return account{}, false
	}
	a, ok := parseScenario(label)
	if !ok {
		return account{}, false
	}
	sum := sha256.Sum256([]byte("sandbox user\x00" + address))
	a.Seed = hex.EncodeToString(sum[:16])
	return a, true
}

// parseScenario reads a label: a behaviour, an account type and "otp", in this
// order, joined by dashes; at least a behaviour or a type, and at most one
// second factor except for the choice that phone-otp offers. The type is
// creator unless it is told.
func parseScenario(label string) (account, bool) {
	a := account{Type: creator}
	rest := strings.Split(label, "-")
	if named := behaviour(rest[0]); slices.Contains(behaviours(), named) {
		a.Behaviour, rest = named, rest[1:]
	}
	if len(rest) > 0 && (rest[0] == string(creator) || rest[0] == string(fan)) {
		a.Type, rest = accountType(rest[0]), rest[1:]
	} else if a.Behaviour == plain {
		return account{}, false
	}
	if len(rest) > 0 && rest[0] == "otp" {
		a.App, rest = true, rest[1:]
	}
	if a.App && (a.Behaviour == push || a.Behaviour == face) {
		return account{}, false
	}
	return a, len(rest) == 0
}

// notAtom reports whether r can't stand in an atom with dots.
func notAtom(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", r)
}
