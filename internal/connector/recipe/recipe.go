package recipe

import (
	"bytes"
	"errors"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"

	"latchkey"
)

// Recipe is a provider's description, checked. It never changes and may be
// shared.
type Recipe struct {
	description
	file       string
	domainLine int
	base       *url.URL
	steps      map[string]*step
	asked      map[string]*prompt // by name; the first is called login
	kept       map[string]bool    // saved values that outlive the login
}

// description is the file, as it is written.
type description struct {
	ID                string                 `yaml:"id"`
	Name              string                 `yaml:"name"`
	Domain            string                 `yaml:"domain"`
	Environments      []latchkey.Environment `yaml:"environments"`
	BaseURL           string                 `yaml:"base_url"`
	Logo              string                 `yaml:"logo"`
	OAuth             bool                   `yaml:"oauth"`
	RequestsPerMinute int                    `yaml:"requests_per_minute"`
	CheckEvery        duration               `yaml:"check_every"`
	Headers           map[string]text        `yaml:"headers"`
	Blocked           *condition             `yaml:"blocked"`
	Login             prompt                 `yaml:"login"`
	Prompts           []*prompt              `yaml:"prompts"`
	Steps             []*step                `yaml:"steps"`
	Profile           profile                `yaml:"profile"`
	Check             check                  `yaml:"check"`
	Session           *session               `yaml:"session"`
	Renew             *renew                 `yaml:"renew"`
	Proxy             proxy                  `yaml:"proxy"`
	Logout            logout                 `yaml:"logout"`
}

// step is a part of a login: requests, and what the last answer means.
type step struct {
	Name     string     `yaml:"name"`
	Requests []*request `yaml:"requests"`
	When     []rule     `yaml:"when"`
	line     int
}

// rule leads to its outcome when its condition holds; without one it always
// does.
type rule struct {
	If   *condition `yaml:"if"`
	Then outcome    `yaml:"then"`
}

// profile tells where the linked person's facts stand in an answer.
type profile struct {
	Request  request `yaml:"request"`
	ID       fact    `yaml:"id"`
	Name     *fact   `yaml:"name"`
	Username fact    `yaml:"username"`
	Avatar   *fact   `yaml:"avatar"`
}

// check tells how to see that a credential is dead. Without a request of its
// own it looks at the profile's answer.
type check struct {
	Request *request  `yaml:"request"`
	Dead    condition `yaml:"dead"`
}

// proxy tells how a proxied request is authorised, and where it goes.
type proxy struct {
	Path    string          `yaml:"path"`
	Cookies bool            `yaml:"cookies"`
	Headers map[string]text `yaml:"headers"`
}

// logout tells how a credential is ended. An answer of 401, or one for which
// gone holds, says that it had ended before.
type logout struct {
	Requests []*request `yaml:"requests"`
	Gone     *condition `yaml:"gone"`
}

// Parse reads a recipe and checks all that can be checked without the
// provider. The error is a *Mistakes; the name, usually the file's, begins
// every line of it, followed by the number of the line at fault.
func Parse(name string, text []byte) (*Recipe, error) {
	r, err := parse(text)
	if err != nil {
		return nil, mistakesOf(name, err)
	}
	r.file = name
	return r, nil
}

// parse reads a recipe. Its errors begin with the line. What is malformed as
// YAML hides what breaks the schema, and that hides what lint would find.
func parse(text []byte) (*Recipe, error) {
	root, err := readYAML(text)
	if err != nil {
		return nil, err
	}
	if err := checkSchema(root); err != nil {
		return nil, err
	}
	r := &Recipe{}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&r.description); err != nil {
		return nil, err
	}
	l := &linter{Recipe: r, root: root}
	r.domainLine = l.line("domain")
	l.index()
	l.lint()
	if err := errors.Join(l.found...); err != nil {
		return nil, err
	}
	return r, nil
}

// ID returns the provider's id, as clients name it.
func (r *Recipe) ID() string { return r.description.ID }

// parseBase reads a base URL: http or https, a host, perhaps a path prefix,
// nothing else.
func parseBase(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("base URL: not a URL")
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Hostname() == "" ||
		base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "" {
		return nil, errors.New("base URL: want http or https, a host and at most a path")
	}
	base.Host = strings.ToLower(base.Host)
	base.Path, base.RawPath = strings.TrimRight(base.Path, "/"), ""
	return base, nil
}

// UnmarshalYAML reads a step and remembers its line.
func (s *step) UnmarshalYAML(node *yaml.Node) error {
	type plain step
	s.line = node.Line
	return node.Decode((*plain)(s))
}
