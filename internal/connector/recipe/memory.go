package recipe

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector"
)

// maxMemory bounds a flow's state, and with it a credential, in bytes.
const maxMemory = 16 << 10

// errMemory is returned for a state or credential that is not this recipe's.
// The cause may show the text, so it is not told.
var errMemory = errors.New("not a state or credential of this recipe")

// memory is what is kept of a login: between its steps as the flow's state,
// and, without the prompt, as the credential. It never holds a password or a
// code.
type memory struct {
	Recipe  string            `json:"recipe"`
	Prompt  string            `json:"prompt,omitzero"`
	At      latchkey.State    `json:"at,omitzero"`
	Cookies []cookie          `json:"cookies,omitzero"`
	Saved   map[string]string `json:"saved,omitzero"`
	// UserAgent is that of an imported session; empty: ours.
	UserAgent string `json:"userAgent,omitzero"`
}

// encode returns the memory as JSON.
func (m memory) encode() ([]byte, error) {
	encoded, err := json.Marshal(m, json.Deterministic(true))
	if err != nil {
		return nil, errors.New("a cookie or saved value is not UTF-8")
	}
	if len(encoded) > maxMemory {
		clear(encoded)
		return nil, fmt.Errorf("cookies and saved values are larger than %d bytes", maxMemory)
	}
	return encoded, nil
}

// remember reads a memory of this recipe.
func (r *Recipe) remember(encoded []byte) (memory, error) {
	var m memory
	if len(encoded) > maxMemory || json.Unmarshal(encoded, &m) != nil || m.Recipe != r.ID() {
		return memory{}, errMemory
	}
	return m, nil
}

// state returns what the flow remembers while it asks.
func (v *visit) state(asked string, at latchkey.State) ([]byte, error) {
	return memory{Recipe: v.recipe.ID(), Prompt: asked, At: at, Cookies: v.jar.cookies, Saved: v.saved}.encode()
}

// credential returns what the vault keeps: the cookies, and those saved values
// that a live connection needs.
func (v *visit) credential() (connector.Credential, error) {
	kept := map[string]string{}
	for name, value := range v.saved {
		if v.recipe.kept[name] {
			kept[name] = value
		}
	}
	secret, err := memory{Recipe: v.recipe.ID(), Cookies: v.jar.cookies, Saved: kept}.encode()
	return connector.Credential{Secret: secret}, err
}
