package recipe

import (
	"bytes"

	"go.yaml.in/yaml/v3"

	"latchkey"
)

// firstPrompt is the name of the prompt every login begins with.
const firstPrompt = "login"

// maxField bounds what a person may submit in one field, in bytes.
const maxField = 4096

// prompt asks for fields and names the step that takes them.
type prompt struct {
	Name    string  `yaml:"name"`
	Option  string  `yaml:"option"` // the second factor: phone, app or email
	Message string  `yaml:"message"`
	Fields  []field `yaml:"fields"`
	Next    string  `yaml:"next"`
	Resend  string  `yaml:"resend"`
	line    int
}

// field is one input.
type field struct {
	Name         string             `yaml:"name"`
	Type         latchkey.FieldType `yaml:"type"`
	Label        string             `yaml:"label"`
	Autocomplete string             `yaml:"autocomplete"`
	Optional     bool               `yaml:"optional"`
}

// UnmarshalYAML reads a prompt and remembers its line.
func (p *prompt) UnmarshalYAML(node *yaml.Node) error {
	type plain prompt
	if err := node.Decode((*plain)(p)); err != nil {
		return err
	}
	p.line = node.Line
	return nil
}

// field returns the field of the name.
func (p *prompt) field(name string) (field, bool) {
	for _, f := range p.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return field{}, false
}

// question returns the prompt as people are asked it, at login or 2fa.
func (p *prompt) question(at latchkey.State) latchkey.Prompt {
	question := latchkey.Prompt{Message: p.Message, CanResend: p.Resend != ""}
	for _, f := range p.Fields {
		question.Fields = append(question.Fields, latchkey.Field{
			Name: f.Name, Type: f.Type, Label: f.Label, Autocomplete: f.autocomplete(), Required: !f.Optional,
		})
	}
	if at == latchkey.StateTwoFactor {
		question.TwoFactor = &latchkey.TwoFactorState{Options: []string{p.Option}}
	}
	return question
}

// autocomplete returns the HTML autocomplete token: the type's own, so that
// password managers and phones help, or the one the recipe gives to a text.
func (f field) autocomplete() string {
	switch f.Type {
	case latchkey.FieldPassword:
		return "current-password"
	case latchkey.FieldCode:
		return "one-time-code"
	default:
		return f.Autocomplete
	}
}

// take returns what was submitted for the prompt's fields, and false when
// something required is missing or something is too long to be true. The
// values are the caller's own bytes.
func (p *prompt) take(submitted map[string]latchkey.Secret) (map[string][]byte, bool) {
	taken := make(map[string][]byte, len(p.Fields))
	for _, f := range p.Fields {
		value := submitted[f.Name].Reveal()
		if len(value) > maxField || (!f.Optional && len(bytes.TrimSpace(value)) == 0) {
			return nil, false
		}
		taken[f.Name] = value
	}
	return taken, true
}
