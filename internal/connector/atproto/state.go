package atproto

import (
	"errors"
	"net/url"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector/jsonapi"
)

// The stages of a login.
const (
	atLogin = "login"
	atCode  = "code"
)

// maxState bounds the state that is read back, in bytes.
const maxState = 16 << 10

// errState is returned for a state that is not ours. The cause may show the
// password, so it is not told.
var errState = errors.New("not a state of this provider")

// state is what a login remembers. While a code is asked for it holds the
// password too: createSession wants both at once, and to ask a person twice
// would teach them to type it everywhere. It is sealed, it lives no longer than
// the session's second factor, and no other stage has it.
type state struct {
	Stage    string          `json:"stage"`
	DID      string          `json:"did"`
	Handle   string          `json:"handle"`
	PDS      string          `json:"pds"`
	Password latchkey.Secret `json:"password"`
}

// encodeLogin returns the state of the first question, which has nothing in it.
func encodeLogin() ([]byte, error) { return new(jsonapi.Object).Word("stage", atLogin).Bytes() }

// encodeCode returns the state while a code is asked for.
func encodeCode(who account, password []byte) ([]byte, error) {
	return new(jsonapi.Object).Word("stage", atCode).Word("did", who.DID).Word("handle", who.Handle).
		Word("pds", who.PDS.String()).Text("password", password).Bytes()
}

// readState reads a state back. The caller zeroes its password.
func readState(encoded []byte) (state, error) {
	var s state
	if len(encoded) > maxState || json.Unmarshal(encoded, &s) != nil || (s.Stage != atLogin && s.Stage != atCode) {
		return state{}, errState
	}
	return s, nil
}

// account returns who the code is asked of.
func (c *Connector) account(s state) (account, error) {
	pds, err := url.Parse(s.PDS)
	if err != nil || !c.mayCall(pds) || !c.isDID(s.DID) {
		return account{}, errState
	}
	return account{DID: s.DID, Handle: s.Handle, PDS: pds}, nil
}
