package recipe

import (
	"fmt"
	"maps"
	"slices"

	"latchkey"
)

// everyRequest calls yield with every request of the recipe.
func (r *Recipe) everyRequest(yield func(*request) bool) {
	for _, s := range r.Steps {
		for _, q := range s.Requests {
			if !yield(q) {
				return
			}
		}
	}
	r.liveRequests(yield)
}

// liveRequests calls yield with the requests that are sent for a linked
// account, when nobody submits anything.
func (r *Recipe) liveRequests(yield func(*request) bool) {
	if !yield(&r.Profile.Request) {
		return
	}
	if r.Check.Request != nil && !yield(r.Check.Request) {
		return
	}
	for _, q := range r.Logout.Requests {
		if !yield(q) {
			return
		}
	}
}

// urlTexts calls visit with what the request writes into its URL.
func (q *request) urlTexts(visit func(text)) {
	visit(q.Path)
	for _, p := range q.Query {
		visit(p.text)
	}
}

// texts calls visit with every text of the request.
func (q *request) texts(visit func(text)) {
	q.urlTexts(visit)
	for _, t := range q.Headers {
		visit(t)
	}
	for _, p := range q.Form {
		visit(p.text)
	}
	if q.JSON != nil {
		q.JSON.texts(visit)
	}
}

// liveTexts calls visit with every text that is used for a linked account.
func (r *Recipe) liveTexts(visit func(text)) {
	for q := range r.liveRequests {
		q.texts(visit)
	}
	for _, headers := range []map[string]text{r.Headers, r.Proxy.Headers} {
		for _, t := range headers {
			visit(t)
		}
	}
}

// lintLive checks the placeholders that don't depend on what was submitted.
func (r *Recipe) lintLive() error {
	saved := map[string]bool{}
	for _, s := range r.Steps {
		for _, q := range s.Requests {
			for name := range q.Save {
				saved[name] = true
			}
		}
	}
	var wrong error
	unknown := func(t text) {
		for _, p := range t.parts {
			if p.origin == fromSaved && !saved[p.name] && wrong == nil {
				wrong = fmt.Errorf("%d: no step saves {{saved.%s}}", t.line, p.name)
			}
		}
	}
	noField := func(where string) func(text) {
		return func(t text) {
			for _, p := range t.parts {
				if p.origin == fromField && wrong == nil {
					wrong = fmt.Errorf("%d: {{field.%s}} can't be used %s", t.line, p.name, where)
				}
			}
		}
	}
	for q := range r.everyRequest {
		q.texts(unknown)
		q.urlTexts(noField("in a URL"))
	}
	r.liveTexts(unknown)
	r.liveTexts(noField("where nothing is submitted"))
	for q := range r.liveRequests {
		if len(q.Save) > 0 && wrong == nil {
			wrong = fmt.Errorf("%d: only steps can save", q.line)
		}
	}
	return wrong
}

// lintFields follows every prompt to the steps it leads to, and checks that
// each field they use is one that the prompt asks for. A step that nothing
// leads to is an error.
func (r *Recipe) lintFields() error {
	reached := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(r.asked)) {
		p := r.asked[name]
		if err := r.follow(p, p.Next, p.field, reached, map[string]bool{}); err != nil {
			return err
		}
		if p.Resend == "" {
			continue
		}
		nothing := func(string) (field, bool) { return field{}, false }
		if err := r.follow(p, p.Resend, nothing, reached, map[string]bool{}); err != nil {
			return err
		}
	}
	for _, s := range r.Steps {
		if !reached[s.Name] {
			return fmt.Errorf("%d: nothing leads to step %q", s.line, s.Name)
		}
	}
	return nil
}

// follow checks a step and those it leads to without asking again.
func (r *Recipe) follow(p *prompt, name string, known func(string) (field, bool), reached, seen map[string]bool) error {
	if seen[name] {
		return nil
	}
	seen[name], reached[name] = true, true
	s := r.steps[name]
	for _, q := range s.Requests {
		if err := q.lintFields(p, s, known); err != nil {
			return err
		}
	}
	for _, rule := range s.When {
		if rule.Then.verdict != verdictGoto {
			continue
		}
		if err := r.follow(p, rule.Then.name, known, reached, seen); err != nil {
			return err
		}
	}
	return nil
}

// lintFields checks the fields that a request sends or saves.
func (q *request) lintFields(p *prompt, s *step, known func(string) (field, bool)) error {
	var wrong error
	q.texts(func(t text) {
		for _, part := range t.parts {
			if part.origin != fromField || wrong != nil {
				continue
			}
			if _, ok := known(part.name); !ok {
				wrong = fmt.Errorf("%d: step %q uses {{field.%s}}, but can come from prompt %q, which submits no such field", t.line, s.Name, part.name, p.Name)
			}
		}
	})
	for name, from := range q.Save {
		if from.Field == "" || wrong != nil {
			continue
		}
		if f, ok := known(from.Field); !ok || f.Type != latchkey.FieldText {
			wrong = fmt.Errorf("%d: step %q saves %q from field %q: want a field of type text of prompt %q", q.line, s.Name, name, from.Field, p.Name)
		}
	}
	return wrong
}
