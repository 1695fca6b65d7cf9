package recipe

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// index compiles what the file leaves as text and finds everything by name.
func (l *linter) index() {
	base, err := parseBase(l.BaseURL)
	if err != nil {
		l.add(l.line("base_url"), "%v", err)
	}
	l.base = base
	l.Login.Name = firstPrompt
	l.asked = map[string]*prompt{firstPrompt: &l.Login}
	for _, p := range l.Prompts {
		if l.asked[p.Name] != nil {
			l.add(p.line, "two prompts are called %q; rename one", p.Name)
		}
		l.asked[p.Name] = p
	}
	l.steps = map[string]*step{}
	for _, s := range l.Steps {
		if l.steps[s.Name] != nil {
			l.add(s.line, "two steps are called %q; rename one", s.Name)
		}
		l.steps[s.Name] = s
	}
	l.kept = map[string]bool{}
	l.liveTexts(func(t text) {
		for _, p := range t.parts {
			if p.origin == fromSaved {
				l.kept[p.name] = true
			}
		}
	})
}

// lint checks what the schema can't: that names lead somewhere, and that every
// placeholder can have a value.
func (l *linter) lint() {
	if l.OAuth {
		l.add(l.line("oauth"), "oauth: a provider that has OAuth must not be asked for passwords; use an OAuth provider in place of a recipe")
	}
	if err := connector.CheckLogo(l.Logo); err != nil {
		l.add(l.line("logo"), "logo: %v", err)
	}
	l.lintSession()
	l.lintLogin()
	for _, p := range l.everyPrompt() {
		l.lintPrompt(p)
	}
	for _, s := range l.Steps {
		l.lintStep(s)
	}
	for q := range l.everyRequest {
		l.lintRequest(q)
	}
	l.lintHeaders()
	l.lintLive()
	if len(l.found) == 0 { // what leads nowhere can't be followed
		l.lintFields()
	}
}

// everyPrompt returns the prompts, the login first and the others in the order
// of their names.
func (l *linter) everyPrompt() []*prompt {
	prompts := []*prompt{&l.Login}
	for _, name := range slices.Sorted(maps.Keys(l.asked)) {
		if name != firstPrompt {
			prompts = append(prompts, l.asked[name])
		}
	}
	return prompts
}

// lintSession checks that what is told about the life of a session makes sense.
func (l *linter) lintSession() {
	if l.Session == nil {
		if l.Renew != nil {
			l.add(l.line("renew"), "renew: nobody knows when to; add session: with a cookie or a lifetime")
		}
		if l.Login.KeepPassword {
			l.add(l.Login.line, "keep_password: nobody knows when to log in again; add session: with a cookie or a lifetime")
		}
		return
	}
	if l.Session.Lifetime != 0 && time.Duration(l.Session.Lifetime) < time.Minute {
		l.add(l.line("session"), "session.lifetime: a session of less than a minute can't be used; write at least 1m")
	}
}

// lintLogin checks what is special about the first prompt.
func (l *linter) lintLogin() {
	if s := l.steps[l.Login.Next]; s != nil && s.Requests[0].FormFrom != nil {
		l.add(s.Requests[0].line, "form_from: there is no page before the first request; get the page of the form first, as {method: GET, path: /login}")
	}
	if l.Login.KeepPassword && !slices.ContainsFunc(l.Login.Fields, func(f field) bool { return f.Type == latchkey.FieldPassword }) {
		l.add(l.Login.line, "keep_password: the login asks for no password; remove it")
	}
}

// lintPrompt checks a prompt's names.
func (l *linter) lintPrompt(p *prompt) {
	for i, f := range p.Fields {
		if slices.ContainsFunc(p.Fields[:i], func(other field) bool { return other.Name == f.Name }) {
			l.add(p.line, "two fields are called %q; rename one", f.Name)
		}
		if f.Type != latchkey.FieldText && f.Autocomplete != "" && f.Autocomplete != f.autocomplete() {
			l.add(p.line, "field %q: autocomplete of a %s is %q; remove it", f.Name, f.Type, field{Type: f.Type}.autocomplete())
		}
	}
	for _, name := range []string{p.Next, p.Resend} {
		if name != "" && l.steps[name] == nil {
			l.add(p.line, "there is no step %q%s", name, meant(name, slices.Collect(maps.Keys(l.steps))))
		}
	}
	kinds := 0
	for _, has := range []bool{len(p.Fields) > 0, len(p.Methods) > 0, p.Wait != 0} {
		if has {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		l.add(p.line, "prompt %q: give it one of fields, methods and wait", p.Name)
	case len(p.Methods) > 0 && p.Next != "":
		l.add(p.line, "prompt %q: each of its methods says what comes next; remove next", p.Name)
	case len(p.Methods) == 0 && p.Next == "":
		l.add(p.line, "prompt %q: add next: the step that comes after it", p.Name)
	}
	if wait := time.Duration(p.Wait); wait > time.Minute {
		l.add(p.line, "prompt %q: wait at most 1m between two looks", p.Name)
	}
	for _, choice := range p.Methods {
		l.lintOutcome(choice.then)
		if !slices.Contains([]verdict{verdictGoto, verdictTwoFactor, verdictWait}, choice.then.verdict) {
			l.add(choice.then.line, "method %s: want {goto: step}, {2fa: prompt} or {wait: prompt}", choice.option)
		}
	}
}

// lintStep checks the names a step leads to.
func (l *linter) lintStep(s *step) {
	for i, rule := range s.When {
		if rule.If == nil && i < len(s.When)-1 {
			l.add(rule.Then.line, "a rule without a condition must be the last: none after it is ever looked at")
		}
		l.lintOutcome(rule.Then)
	}
}

// lintOutcome checks that an outcome leads to what can take it.
func (l *linter) lintOutcome(then outcome) {
	switch then.verdict {
	case verdictGoto:
		if l.steps[then.name] == nil {
			l.add(then.line, "there is no step %q%s", then.name, meant(then.name, slices.Collect(maps.Keys(l.steps))))
		}
		return
	case verdictPrompt, verdictTwoFactor, verdictWait:
	default:
		return
	}
	p := l.asked[then.name]
	switch {
	case p == nil:
		l.add(then.line, "there is no prompt %q%s", then.name, meant(then.name, slices.Collect(maps.Keys(l.asked))))
	case then.verdict == verdictWait && p.Wait == 0:
		l.add(then.line, "prompt %q has no wait: ask it with 2fa or prompt", then.name)
	case then.verdict != verdictWait && p.Wait != 0:
		l.add(then.line, "prompt %q has nothing to fill in: write {wait: %s}", then.name, then.name)
	case then.verdict == verdictTwoFactor && p.Option == "" && len(p.Methods) == 0:
		l.add(then.line, "prompt %q has no option, so it can't ask for a second factor; add option: phone, app, email or push", then.name)
	case then.verdict == verdictPrompt && len(p.Methods) > 0:
		l.add(then.line, "prompt %q lets people choose a second factor: write {2fa: %s}", then.name, then.name)
	}
}

// lintRequest checks that a request says one thing about where it goes and what
// it sends.
func (l *linter) lintRequest(q *request) {
	switch {
	case q.FormFrom == nil && (q.Method == "" || len(q.Path.parts) == 0):
		l.add(q.line, "a request needs method and path, or form_from")
	case q.FormFrom != nil && (q.Method != "" || len(q.Path.parts) > 0 || len(q.Query) > 0 || q.JSON != nil):
		l.add(q.line, "form_from: method, path and body come from the form on the page; leave only form: for the inputs to fill in")
	case q.Form != nil && q.JSON != nil:
		l.add(q.line, "a request has form or json, not both")
	}
}

// reserved are the headers that belong to the client or to the engine.
var reserved = []string{
	"Host", "Cookie", "Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "Accept-Encoding",
	"Upgrade", "Te", "Trailer", "Keep-Alive", "Expect", "Proxy-Authorization", "Proxy-Connection",
}

// disguises are the headers by which a client would pretend to be another one,
// or somewhere else; and all that begin with Sec-, which only browsers set.
var disguises = []string{
	"User-Agent", "From", "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Client-Ip", "True-Client-Ip",
	"Cf-Connecting-Ip", "X-Client-Ip",
}

// lintHeaders refuses headers that a recipe can't set, and the same header in
// two spellings.
func (l *linter) lintHeaders() {
	all := []map[string]text{l.Headers, l.Proxy.Headers}
	for q := range l.everyRequest {
		all = append(all, q.Headers)
	}
	for _, headers := range all {
		seen := map[string]bool{}
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			canonical, line := http.CanonicalHeaderKey(name), headers[name].line
			switch {
			case slices.Contains(reserved, canonical):
				l.add(line, "header %s can't be set by a recipe; remove it", name)
			case slices.Contains(disguises, canonical) || strings.HasPrefix(canonical, "Sec-"):
				l.add(line, "header %s would pretend to be another client: Latchkey says who it is; remove it", name)
			case seen[canonical]:
				l.add(line, "header %s stands twice; remove one", name)
			}
			seen[canonical] = true
		}
	}
}
