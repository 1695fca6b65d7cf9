package recipe

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"latchkey"
)

// index compiles what the file leaves as text and finds everything by name.
func (r *Recipe) index() error {
	base, err := parseBase(r.BaseURL)
	if err != nil {
		return fmt.Errorf("1: %w", err)
	}
	r.base = base
	r.Login.Name = firstPrompt
	r.asked = map[string]*prompt{firstPrompt: &r.Login}
	for _, p := range r.Prompts {
		if r.asked[p.Name] != nil {
			return fmt.Errorf("%d: two prompts are called %q", p.line, p.Name)
		}
		r.asked[p.Name] = p
	}
	r.steps = map[string]*step{}
	for _, s := range r.Steps {
		if r.steps[s.Name] != nil {
			return fmt.Errorf("%d: two steps are called %q", s.line, s.Name)
		}
		r.steps[s.Name] = s
	}
	r.kept = map[string]bool{}
	r.liveTexts(func(t text) {
		for _, p := range t.parts {
			if p.origin == fromSaved {
				r.kept[p.name] = true
			}
		}
	})
	return nil
}

// lint checks what the schema can't: that names lead somewhere, and that every
// placeholder can have a value.
func (r *Recipe) lint() error {
	var errs []error
	if err := checkLogo(r.Logo); err != nil {
		errs = append(errs, fmt.Errorf("1: logo: %w", err))
	}
	for _, name := range slices.Sorted(maps.Keys(r.asked)) {
		errs = append(errs, r.lintPrompt(r.asked[name]))
	}
	for _, s := range r.Steps {
		errs = append(errs, r.lintStep(s))
	}
	errs = append(errs, r.lintHeaders(), r.lintLive())
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return r.lintFields()
}

// lintPrompt checks a prompt's names.
func (r *Recipe) lintPrompt(p *prompt) error {
	for i, f := range p.Fields {
		if slices.ContainsFunc(p.Fields[:i], func(other field) bool { return other.Name == f.Name }) {
			return fmt.Errorf("%d: two fields are called %q", p.line, f.Name)
		}
		if f.Type != latchkey.FieldText && f.Autocomplete != "" && f.Autocomplete != f.autocomplete() {
			return fmt.Errorf("%d: field %q: autocomplete of a %s is %q", p.line, f.Name, f.Type, field{Type: f.Type}.autocomplete())
		}
	}
	for _, name := range []string{p.Next, p.Resend} {
		if name != "" && r.steps[name] == nil {
			return fmt.Errorf("%d: there is no step %q", p.line, name)
		}
	}
	return nil
}

// lintStep checks the names a step leads to.
func (r *Recipe) lintStep(s *step) error {
	for i, rule := range s.When {
		if rule.If == nil && i < len(s.When)-1 {
			return fmt.Errorf("%d: a rule without a condition must be the last", rule.Then.line)
		}
		then := rule.Then
		switch then.verdict {
		case verdictGoto:
			if r.steps[then.name] == nil {
				return fmt.Errorf("%d: there is no step %q", then.line, then.name)
			}
		case verdictPrompt, verdictTwoFactor:
			p := r.asked[then.name]
			if p == nil {
				return fmt.Errorf("%d: there is no prompt %q", then.line, then.name)
			}
			if then.verdict == verdictTwoFactor && p.Option == "" {
				return fmt.Errorf("%d: prompt %q has no option, so it can't ask for a second factor", then.line, then.name)
			}
		}
	}
	return nil
}

// reserved are the headers that belong to the client or to the engine.
var reserved = []string{
	"Host", "Cookie", "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "Accept-Encoding",
	"Upgrade", "Te", "Trailer", "Keep-Alive", "Expect", "Proxy-Authorization", "Proxy-Connection",
}

// lintHeaders refuses reserved headers, and the same header in two spellings.
func (r *Recipe) lintHeaders() error {
	all := []map[string]text{r.Headers, r.Proxy.Headers}
	for q := range r.everyRequest {
		all = append(all, q.Headers)
	}
	for _, headers := range all {
		seen := map[string]bool{}
		for name, t := range headers {
			canonical := http.CanonicalHeaderKey(name)
			if slices.Contains(reserved, canonical) {
				return fmt.Errorf("%d: header %s can't be set by a recipe", t.line, name)
			}
			if seen[canonical] {
				return fmt.Errorf("%d: header %s stands twice", t.line, name)
			}
			seen[canonical] = true
		}
	}
	return nil
}
