package recipe

import (
	"errors"
	"fmt"
	"time"

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
// and, without the prompt and its forms, as the credential. It never holds a
// code, and a password only as a credential, where the recipe can use it and
// the person has said so.
type memory struct {
	Recipe  string            `json:"recipe"`
	Prompt  string            `json:"prompt,omitzero"`
	At      latchkey.State    `json:"at,omitzero"`
	Forms   map[string]*form  `json:"forms,omitzero"` // by selector: those that the next step submits
	Cookies []cookie          `json:"cookies,omitzero"`
	Saved   map[string]string `json:"saved,omitzero"`
	Since   time.Time         `json:"since,omitzero"` // when the session began; zero where nobody needs it
	Kept    map[string][]byte `json:"kept,omitzero"`  // what to log in again with, by field
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

// forget clears what was kept to log in again.
func (m *memory) forget() {
	for _, value := range m.Kept {
		clear(value)
	}
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
	forms, err := v.hold(v.recipe.asked[asked])
	if err != nil {
		return nil, err
	}
	return memory{
		Recipe: v.recipe.ID(), Prompt: asked, At: at, Forms: forms, Cookies: v.jar.cookies, Saved: v.saved,
	}.encode()
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
	secret, err := memory{
		Recipe: v.recipe.ID(), Cookies: v.jar.cookies, Saved: kept, UserAgent: v.userAgent, Since: v.since, Kept: v.kept,
	}.encode()
	if v.recipe.Renew == nil && len(v.kept) == 0 { // nothing could renew it
		return connector.Credential{Secret: secret, EndsAt: v.ends()}, err
	}
	return connector.Credential{Secret: secret, ExpiresAt: v.ends()}, err
}
