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

// stayField is the box by which a person leaves the password here.
const stayField = "stay_connected"

// prompt asks for fields, for a choice of second factors, or to wait for what
// happens elsewhere, and names the step that comes next.
type prompt struct {
	Name         string   `yaml:"name"`
	Option       string   `yaml:"option"` // the second factor: phone, app, email or push
	Message      string   `yaml:"message"`
	Fields       []field  `yaml:"fields"`
	KeepPassword bool     `yaml:"keep_password"` // of the login: offer to leave it here
	Methods      methods  `yaml:"methods"`
	Wait         duration `yaml:"wait"` // until the next look is worth it
	Next         string   `yaml:"next"`
	Resend       string   `yaml:"resend"`
	line         int
}

// method is a second factor to choose, and where the choice leads.
type method struct {
	option string
	then   outcome
}

// methods are offered in the order of the file.
type methods []method

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
	p.line = node.Line
	return node.Decode((*plain)(p))
}

// UnmarshalYAML reads the choices in their order.
func (m *methods) UnmarshalYAML(node *yaml.Node) error {
	for i := 0; node.Kind == yaml.MappingNode && i < len(node.Content); i += 2 {
		choice := method{option: node.Content[i].Value}
		if err := choice.then.UnmarshalYAML(node.Content[i+1]); err != nil {
			return err
		}
		*m = append(*m, choice)
	}
	return nil
}

// leads returns the steps that what is submitted may lead to at once.
func (p *prompt) leads() []string {
	var steps []string
	for _, name := range []string{p.Next, p.Resend} {
		if name != "" {
			steps = append(steps, name)
		}
	}
	for _, choice := range p.Methods {
		if choice.then.verdict == verdictGoto {
			steps = append(steps, choice.then.name)
		}
	}
	return steps
}

// secrets returns the names of the fields that are not plain text.
func (p *prompt) secrets() []string {
	var names []string
	for _, f := range p.Fields {
		if f.Type != latchkey.FieldText {
			names = append(names, f.Name)
		}
	}
	return names
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

// question returns the prompt as people are asked it, at login, 2fa or wait.
func (p *prompt) question(at latchkey.State) latchkey.Prompt {
	question := latchkey.Prompt{Message: p.Message, CanResend: p.Resend != ""}
	for _, f := range p.Fields {
		question.Fields = append(question.Fields, latchkey.Field{
			Name: f.Name, Type: f.Type, Label: f.Label, Autocomplete: f.autocomplete(), Required: !f.Optional,
		})
	}
	if p.KeepPassword {
		question.Fields = append(question.Fields, latchkey.Field{
			Name: stayField, Type: latchkey.FieldCheckbox, Label: "Keep my password to stay connected",
		})
	}
	for _, choice := range p.Methods {
		question.Methods = append(question.Methods, choice.option)
	}
	switch {
	case len(p.Methods) > 0:
		question.TwoFactor = &latchkey.TwoFactorState{Options: question.Methods}
	case p.Option != "" && at != latchkey.StateLogin:
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

// stays reports whether the person has left the password here.
func (p *prompt) stays(submitted map[string]latchkey.Secret) bool {
	return p.KeepPassword && string(submitted[stayField].Reveal()) == "true"
}
