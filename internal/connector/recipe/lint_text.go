package recipe

import (
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
	var more []*request
	if r.Renew != nil {
		more = r.Renew.Requests
	}
	for _, q := range slices.Concat(more, r.Logout.Requests) {
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
func (l *linter) lintLive() {
	var saved []string
	for q := range l.everyRequest {
		saved = slices.AppendSeq(saved, maps.Keys(q.Save))
	}
	unknown := func(t text) {
		for _, p := range t.parts {
			if p.origin == fromSaved && !slices.Contains(saved, p.name) {
				l.add(t.line, "no request saves {{saved.%s}}%s", p.name, meant(p.name, saved))
			}
		}
	}
	noField := func(where string) func(text) {
		return func(t text) {
			for _, p := range t.parts {
				if p.origin == fromField {
					l.add(t.line, "{{field.%s}} can't be used %s", p.name, where)
				}
			}
		}
	}
	for q := range l.everyRequest {
		q.texts(unknown)
		q.urlTexts(noField("in a URL: it would be logged on its way; send it in form or json"))
	}
	for _, headers := range []map[string]text{l.Headers, l.Proxy.Headers} {
		for _, t := range headers {
			unknown(t)
		}
	}
	l.liveTexts(noField("where nothing is submitted"))
	l.lintSaves()
}

// lintSaves checks that the requests of a linked account save nothing that
// somebody would have to submit.
func (l *linter) lintSaves() {
	for q := range l.liveRequests {
		for _, name := range slices.Sorted(maps.Keys(q.Save)) {
			if field := q.Save[name].Field; field != "" {
				l.add(q.line, "{field: %s} can't be used where nothing is submitted", field)
			}
		}
	}
}

// lintFields follows every prompt to the steps it leads to, and checks that
// each field they use is one that the prompt asks for. A step that nothing
// leads to is an error.
func (l *linter) lintFields() {
	reached := map[string]bool{}
	nothing := func(string) (field, bool) { return field{}, false }
	for _, p := range l.everyPrompt() {
		for _, name := range p.leads() {
			known := nothing
			if name == p.Next {
				known = p.field
			}
			l.follow(p, name, known, reached, map[string]bool{})
		}
	}
	for _, s := range l.Steps {
		if !reached[s.Name] {
			l.add(s.line, "nothing leads to step %q; remove it, or lead to it by next, resend or goto", s.Name)
		}
	}
}

// follow checks a step and those it leads to without asking again.
func (l *linter) follow(p *prompt, name string, known func(string) (field, bool), reached, seen map[string]bool) {
	if seen[name] {
		return
	}
	seen[name], reached[name] = true, true
	s := l.steps[name]
	for _, q := range s.Requests {
		l.lintFieldsOf(q, p, s, known)
	}
	for _, rule := range s.When {
		if rule.Then.verdict == verdictGoto {
			l.follow(p, rule.Then.name, known, reached, seen)
		}
	}
}

// lintFieldsOf checks the fields that a request sends or saves.
func (l *linter) lintFieldsOf(q *request, p *prompt, s *step, known func(string) (field, bool)) {
	var names []string
	for _, f := range p.Fields {
		names = append(names, f.Name)
	}
	q.texts(func(t text) {
		for _, part := range t.parts {
			if part.origin != fromField {
				continue
			}
			if _, ok := known(part.name); !ok {
				l.add(t.line, "step %q uses {{field.%s}}, but can come from prompt %q, which submits no such field%s",
					s.Name, part.name, p.Name, meant(part.name, names))
			}
		}
	})
	for _, name := range slices.Sorted(maps.Keys(q.Save)) {
		from := q.Save[name]
		if from.Field == "" {
			continue
		}
		if f, ok := known(from.Field); !ok || f.Type != latchkey.FieldText {
			l.add(q.line, "step %q saves %q from field %q: want a field of type text of prompt %q", s.Name, name, from.Field, p.Name)
		}
	}
}
