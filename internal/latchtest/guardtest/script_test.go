package guardtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/page"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

// naughty is a provider whose every text is hostile, at each prompt other ones.
type naughty struct {
	mu    sync.Mutex
	texts []string
}

// next returns the next texts.
func (n *naughty) next(count int) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	taken := n.texts[:count]
	n.texts = append(n.texts[count:], taken...)
	return taken
}

// Describe returns the provider's facts.
func (n *naughty) Describe() connector.Description {
	return connector.Description{
		ID: "naughty", Name: `"><script>owned()</script>`, Domain: `x"><img src=x onerror=owned()>`, Environments: []latchkey.Environment{latchkey.Sandbox},
		Logo: []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="owned()"><script>owned()</script></svg>`),
	}
}

// Advance asks for a password once, then links whoever it is.
func (n *naughty) Advance(_ context.Context, flow connector.Flow, _ connector.Input) (connector.Step, error) {
	texts := n.next(9)
	switch string(flow.State) {
	case "":
		prompt := latchkey.Prompt{Message: texts[0]}
		for i, text := range texts[1:] {
			prompt.Fields = append(prompt.Fields, latchkey.Field{Name: "field" + strconv.Itoa(i), Type: latchkey.FieldText, Label: text, Autocomplete: text})
		}
		return connector.Prompt{At: latchkey.StateLogin, Prompt: prompt, State: []byte("asked")}, nil
	case "asked":
		return connector.Done{
			User:       latchkey.UserData{ID: texts[0], Name: texts[1], Username: texts[2], Avatar: texts[3]},
			Credential: connector.Credential{Secret: []byte("x")},
		}, nil
	}
	return nil, errors.New("nobody asks again")
}

// gallery serves pages as the app drew them, with their headers, from its own
// origin: /gallery/<i> is one, /gallery?from=<i> has frames of some.
type gallery struct {
	mu    sync.Mutex
	pages []latchtest.Answer
}

const perGallery = 40

func (g *gallery) around(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := strings.CutPrefix(r.URL.Path, "/gallery")
		if !ok {
			handler.ServeHTTP(w, r)
			return
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if i, err := strconv.Atoi(strings.TrimPrefix(name, "/")); err == nil {
			maps.Copy(w.Header(), g.pages[i].Header)
			_, _ = w.Write(g.pages[i].Body)
			return
		}
		from, _ := strconv.Atoi(r.URL.Query().Get("from"))
		_, _ = fmt.Fprint(w, "<!doctype html><title>gallery</title>")
		for i := from; i < min(from+perGallery, len(g.pages)); i++ {
			_, _ = fmt.Fprintf(w, `<iframe src="/gallery/%d"></iframe>`, i)
		}
	})
}

// add keeps a page.
func (g *gallery) add(page latchtest.Answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pages = append(g.pages, page)
}

// sentry notes in the outermost window what is executed and what the policy
// stops, in every frame.
const sentry = `(() => {
	if (top === window) window.noted = {Executed: 0, Violations: []};
	window.owned = window.alert = window.prompt = window.confirm = () => { top.noted.Executed++ };
	addEventListener("securitypolicyviolation", e => top.noted.Violations.push(location.pathname + " " + e.violatedDirective + " " + e.blockedURI + " " + e.sample));
})()`

// noted is what the sentry and a look at the documents found.
type noted struct {
	Executed   int
	Violations []string
	Foreign    []string // elements that no page of ours has
	Frames     int      // that were looked at, each with a heading
}

const inspect = `(() => {
	const frames = [...document.querySelectorAll("iframe")].map(f => f.contentDocument);
	const foreign = 'script:not([src^="/static/"]), script:not(head > script), iframe, object, embed, base, style, math, template, details:not(.languages), video, [onerror], [onload], [onfocus], [ontoggle], [style], ' +
		'meta[http-equiv], a[href^="javascript:" i], [href*="evil"], [src*="evil"], form[action^="javascript" i], svg:not(.icon)';
	return {Executed: noted.Executed, Violations: noted.Violations, Frames: frames.filter(d => d.querySelector("h1")).length,
		Foreign: frames.flatMap(d => [...d.querySelectorAll(foreign)].map(e => e.outerHTML.slice(0, 200)))};
})()`

func TestNoTextBecomesScript(t *testing.T) {
	texts, shown := corpus(), &gallery{}
	s := latchtest.Start(t, latchtest.Options{Idle: true, Around: shown.around, Connectors: []connector.Connector{&naughty{texts: slices.Clone(texts)}}})
	drawAll(s, shown, texts)
	t.Logf("%d pages are drawn", len(shown.pages))
	tab := shottest.Open(t).Visit(t, "about:blank", phone)
	shottest.Call(tab, "place the sentry", page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: sentry})
	executed, violations, frames := 0, 0, 0
	for from := 0; from < len(shown.pages); from += perGallery {
		tab.Go(s.URL + "/gallery?from=" + strconv.Itoa(from))
		found := shottest.Eval[noted](tab, inspect)
		executed, violations, frames = executed+found.Executed, violations+len(found.Violations)+len(found.Foreign), frames+found.Frames
		if found.Executed+len(found.Violations)+len(found.Foreign) > 0 {
			t.Errorf("from %d: %d scripts ran, violations %.500q, foreign elements %.500q", from, found.Executed, found.Violations, found.Foreign)
		}
	}
	if frames != len(shown.pages) {
		t.Errorf("%d of %d pages were drawn in a frame", frames, len(shown.pages))
	}
	// The sentry is not blind: without the policy the first runs, with it the
	// second is stopped.
	bare := latchtest.Answer{Header: http.Header{}, Body: []byte("<h1>x</h1><script>owned()</script>")}
	policed := latchtest.Answer{Header: shown.pages[0].Header.Clone(), Body: bare.Body}
	policed.Header.Del("Content-Length")
	shown.pages = []latchtest.Answer{bare, policed}
	tab.Go(s.URL + "/gallery?from=0")
	if found := shottest.Eval[noted](tab, inspect); found.Executed != 1 || len(found.Violations) != 1 || len(found.Foreign) != 2 {
		t.Errorf("the sentry noted %+v", found)
	}
	fmt.Printf("RESULT B-5 %d 0\n", executed)
	fmt.Printf("RESULT B-5.violations %d 0\n", violations)
	fmt.Printf("RESULT B-5.n %d 500 (texts, on %d pages)\n", len(texts), frames)
	if len(texts) < 500 {
		t.Errorf("only %d texts", len(texts))
	}
}

// drawAll draws pages with every text in every place that others can fill.
func drawAll(s *latchtest.Server, shown *gallery, texts []string) {
	s.Helper()
	begin := func() *latchtest.Visit { return open(s, latchkey.AppRedirect, "naughty") }
	s.ChangeApp(latchkey.AppRedirect, func(a *latchkey.ClientApp) { a.Providers, a.RedirectURIs = append(a.Providers, "naughty"), nil })
	pages := []string{begin().URL, open(s, latchkey.AppRedirect, "").URL, begin().Submit("continue").URL, begin().Consent().URL}
	for pair := range slices.Chunk(texts, 2) { // the app's own record, and the query
		text, other := pair[0], pair[len(pair)-1]
		s.ChangeApp(latchkey.AppRedirect, func(a *latchkey.ClientApp) { a.Name, a.Domain, a.LogoURL, a.AccentColor = text, other, text, other })
		query := url.Values{"theme": {text}, "lang": {other}, "q": {text}, "looked": {other}, "tried": {text}, other: {text}}
		if len(shown.pages)%5 == 0 {
			query.Set("embed", "true")
			query.Set("embed_origin", other)
		}
		at := pages[len(shown.pages)%len(pages)][len(s.URL):]
		shown.add(s.Call("GET", with(at, query.Encode()), nil, "apikey", "", "Accept-Language", strings.Map(printable, text)))
	}
	for some := range slices.Chunk(texts, 50) {
		s.ChangeApp(latchkey.AppRedirect, func(a *latchkey.ClientApp) {
			a.Permissions = nil
			for _, text := range some {
				a.Permissions = append(a.Permissions, latchkey.Permission{Name: text, Purpose: text})
			}
		})
		shown.add(begin().Submit("continue").Answer)
	}
	s.ChangeApp(latchkey.AppRedirect, func(a *latchkey.ClientApp) { a.Permissions, a.Name, a.LogoURL = nil, "Acme", "" })
	for range len(texts)/9 + 1 { // what the provider says, and the name of the account
		visit := begin().Consent()
		shown.add(visit.Answer)
		shown.add(visit.Submit("continue").Answer)
	}
}

// printable keeps of a text what a header can carry.
func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}
