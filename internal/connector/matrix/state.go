package matrix

import (
	"errors"

	"github.com/go-json-experiment/json"

	"latchkey/internal/connector/jsonapi"
)

// The stages of a login.
const (
	atName     = "name"
	atPassword = "password"
	atSSO      = "sso"
)

// maxState bounds the state that is read back, in bytes.
const maxState = 4 << 10

// errState is returned for a state that is not ours.
var errState = errors.New("not a state of this provider")

// state is what a login remembers. It never holds a password or a token.
type state struct {
	Stage      string `json:"stage"`
	User       string `json:"user"`
	Homeserver string `json:"homeserver"`
	OpenMedia  bool   `json:"openMedia"`
}

// encode returns the state's bytes.
func (s state) encode() ([]byte, error) {
	return new(jsonapi.Object).Word("stage", s.Stage).Word("user", s.User).Word("homeserver", s.Homeserver).
		Flag("openMedia", s.OpenMedia).Bytes()
}

// login is one whose homeserver is known.
type login struct {
	stage  string
	user   userID
	server homeserver
}

// state returns what is remembered of it at a stage.
func (l login) state(stage string) ([]byte, error) {
	return state{Stage: stage, User: l.user.String(), Homeserver: l.server.base.String(), OpenMedia: l.server.openMedia}.encode()
}

// readState reads a state back. At the first stage only that is known.
func (c *Connector) readState(encoded []byte) (login, error) {
	var s state
	if len(encoded) > maxState || json.Unmarshal(encoded, &s) != nil {
		return login{}, errState
	}
	if s.Stage == atName {
		return login{stage: atName}, nil
	}
	user, known := c.parseUserID(s.User)
	base, usable := c.parseBase(s.Homeserver)
	if (s.Stage != atPassword && s.Stage != atSSO) || !known || !usable {
		return login{}, errState
	}
	return login{stage: s.Stage, user: user, server: homeserver{base: base, openMedia: s.OpenMedia}}, nil
}
