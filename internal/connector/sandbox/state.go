package sandbox

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// maxState bounds what is read back: a state of ours has a few hundred bytes.
const maxState = 4 << 10

// stage is where a login stands.
type stage string

// The stages.
const (
	atLogin stage = "login" // asks for the address and the password
	atCode  stage = "code"  // asks for a code, by phone or app
	atPush  stage = "push"  // waits for another device
	atFace  stage = "face"  // waits for a face check
)

// state is what a login remembers between two steps. It holds neither the
// password nor a code.
type state struct {
	Stage        stage   `json:"stage"`
	Account      account `json:"account,omitzero"`      // whose password was right
	Failed       string  `json:"failed,omitzero"`       // the seed of the flaky account that has failed already
	SentAt       int64   `json:"sentAt,omitzero"`       // Unix milliseconds: the last code, push or face check
	RequestsLeft int     `json:"requestsLeft,omitzero"` // codes or face checks that can still be asked for
	ChecksLeft   int     `json:"checksLeft,omitzero"`   // codes by phone that can still be tried
}

// readState reads a login's state; nil bytes are a login that has not begun.
func readState(encoded []byte) (state, error) {
	if len(encoded) > maxState {
		return state{}, errors.New("read login state: it is too large")
	}
	var s state
	if err := json.Unmarshal(encoded, &s); err != nil {
		return state{}, errors.New("read login state: it is not ours")
	}
	switch s.Stage {
	case atLogin:
		return s, nil
	case atCode, atPush, atFace:
		if s.Account.Seed != "" {
			return s, nil
		}
	}
	return state{}, errors.New("read login state: it names no known stage")
}

// encode returns the state's bytes.
func (s state) encode() ([]byte, error) {
	encoded, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode login state: %w", err)
	}
	return encoded, nil
}

// sent returns when the last code, push or face check was asked for.
func (s state) sent() time.Time { return time.UnixMilli(s.SentAt).UTC() }
