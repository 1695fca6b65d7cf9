package embedtest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

//go:embed testdata/host.js
var hostScript string

// house is a Latchkey, and an app on another site that embeds its links.
type house struct {
	*latchtest.Server
	browser *shottest.Browser
	host    string                        // origin of the app
	gate    atomic.Pointer[chan struct{}] // the app gives out no link until it is closed
}

// window is the one that a click on the app's page opens. It stays empty until
// the test has hold of it.
func (h *house) window(tab *shottest.Tab, selector string) *shottest.Tab {
	h.Helper()
	gate := make(chan struct{})
	h.gate.Store(&gate)
	defer func() {
		h.gate.Store(nil)
		close(gate)
	}()
	return h.browser.Opened(h.TB, tab, func() { tab.Click(selector) })
}

// view is the window all tabs have.
var view = shottest.View{Width: 1024, Height: 800, Still: true}

// newHouse starts both, and a browser with the flags.
func newHouse(t testing.TB, flags ...string) *house {
	t.Helper()
	return newHouseWith(t, latchtest.Options{}, flags...)
}

func newHouseWith(t testing.TB, options latchtest.Options, flags ...string) *house {
	t.Helper()
	h := &house{Server: latchtest.Start(t, options), browser: shottest.Open(t, shottest.Flags(append(slices.Clone(shottest.Together), flags...)...)...)}
	site := httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(site.Close)
	h.host = strings.Replace(site.URL, "127.0.0.1", "localhost", 1) // another site than Latchkey's
	h.ChangeApp(latchkey.AppEmbed, func(app *latchkey.ClientApp) {
		app.AllowedOrigins = []string{h.host}
		app.RedirectURIs = []string{h.host + "/back"}
		app.Providers = []string{"sandbox"}
	})
	return h
}

// serve is the app: its page under a policy as strict as ours, its backend
// that makes links, and where a person comes back to.
func (h *house) serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", fmt.Sprintf(
			"default-src 'none'; script-src 'self' %[1]s; frame-src %[1]s; connect-src 'self'; base-uri 'none'; require-trusted-types-for 'script'", h.URL))
		if r.URL.Query().Has("opener") {
			w.Header().Set("Cross-Origin-Opener-Policy", r.URL.Query().Get("opener"))
		}
		if r.URL.Query().Has("twice") {
			_, _ = fmt.Fprintf(w, `<!doctype html><script src="%s/embed.js?twice" crossorigin defer></script>`, h.URL)
		}
		_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Shop</title><script src="%s/embed.js" crossorigin defer></script>
			<script src="/host.js" defer></script><body><h1>Shop</h1><button id="iframe" data-mode="iframe">Frame</button>
			<button id="popup" data-mode="popup">Window</button><button id="redirect" data-mode="redirect">Go</button>
			<latchkey-link id="element" url="">Element</latchkey-link><a id="plain" href="" data-latchkey-link>Link</a>`, h.URL)
	case "/host.js":
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = fmt.Fprint(w, hostScript)
	case "/init":
		if gate := h.gate.Load(); gate != nil {
			<-*gate
		}
		if link := r.URL.Query().Get("link"); link != "" {
			_, _ = fmt.Fprint(w, link)
			return
		}
		link := h.Init(map[string]any{"clientAppId": h.Trial.ClientApps[latchkey.AppEmbed], "clientReferenceId": "user_1"})
		if r.URL.Query().Has("dead") {
			h.Want(http.StatusNoContent, "DELETE", "/v2/link/"+link.Secret(), nil)
		}
		_, _ = fmt.Fprint(w, link.URL)
	default:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, `<!doctype html><title>Back</title><h1 id="back">Back</h1>`)
	}
}

// visit opens the app's page and waits for the SDK.
func (h *house) visit(query string) *shottest.Tab {
	h.Helper()
	tab := h.browser.Visit(h.TB, h.host+"/"+query, view)
	tab.Await("#iframe")
	return tab
}

// log is what the app's page was told.
func log(tab *shottest.Tab) []string { return shottest.Eval[[]string](tab, "window.log") }

// heard waits until the app's page was told of it, and returns what was said.
func (h *house) heard(tab *shottest.Tab, name string) map[string]any {
	h.Helper()
	var value map[string]any
	latchtest.Eventually(h.TB, "the page hears "+name+": "+strings.Join(log(tab), "\n"), func() bool {
		for _, entry := range log(tab) {
			if said, ok := strings.CutPrefix(entry, name+" "); ok {
				if err := json.Unmarshal([]byte(said), &value); err != nil {
					h.Fatal(err)
				}
				return true
			}
		}
		return false
	})
	return value
}

// scenario is one way through the sandbox, after the consent.
type scenario struct {
	name  string
	walk  func(shottest.Frame)
	close string // what the app is told instead of success, as type and step
	error string // error_code of the redirect
}

const good = "good-password"

// login fills the form in.
func login(f shottest.Frame, address, password string) {
	f.Until("the login is there", `document.body.dataset.page === "login"`)
	f.Fill("continue", map[string]string{"username": address, "password": password})
}

// consent goes from the first page to the login.
func consent(f shottest.Frame) {
	f.Until("the first page is there", `document.body.dataset.page === "pre-login"`)
	f.Fill("continue", nil)
	f.Until("the consent is there", `document.body.dataset.page === "authorization"`)
	f.Fill("approve", nil)
}

func code(f shottest.Frame, digits string) {
	f.Until("the code is asked for", `document.body.dataset.page === "2fa"`)
	f.Fill("continue", map[string]string{"code": digits})
}

func refused(f shottest.Frame) { f.Until("it is refused", `!!document.querySelector("#summary")`) }

var scenarios = []scenario{
	{name: "good", walk: func(f shottest.Frame) { consent(f); login(f, "jo@creator.sandbox.com", good) }},
	{name: "a wrong password first", walk: func(f shottest.Frame) {
		consent(f)
		login(f, "jo@creator.sandbox.com", "wrong")
		refused(f)
		login(f, "jo@creator.sandbox.com", good)
	}},
	{name: "a code of an app", walk: func(f shottest.Frame) { consent(f); login(f, "jo@creator-otp.sandbox.com", good); code(f, "123456") }},
	{name: "a wrong code, another one, the right one", walk: func(f shottest.Frame) {
		consent(f)
		login(f, "jo@phone.sandbox.com", good)
		code(f, "000000")
		refused(f)
		f.Until("another code is asked for", `(b => b && (b.disabled = false, b.click(), true))(document.querySelector("button[value=resend]"))`)
		f.Until("it is sent", `!document.querySelector("#summary") && document.body.dataset.page === "2fa"`)
		code(f, "123456")
	}},
	{name: "approved elsewhere", walk: func(f shottest.Frame) { consent(f); login(f, "jo@push.sandbox.com", good) }},
	{name: "a face", walk: func(f shottest.Frame) { consent(f); login(f, "jo@face.sandbox.com", good) }},
	{name: "a provider that fails once", walk: func(f shottest.Frame) {
		consent(f)
		login(f, "jo@flaky.sandbox.com", good)
		refused(f)
		login(f, "jo@flaky.sandbox.com", good)
	}},
	{name: "locked", error: "account_locked", close: "error error", walk: func(f shottest.Frame) {
		consent(f)
		login(f, "jo@locked.sandbox.com", good)
		f.Until("it is explained", `document.body.dataset.page === "error"`)
		f.Fill("continue", nil)
	}},
	{name: "cancelled at once", close: "user_exit pre-login", walk: func(f shottest.Frame) {
		f.Until("the first page is there", `document.body.dataset.page === "pre-login"`)
		f.Fill("cancel", nil)
	}},
	{name: "denied", close: "user_exit pre-login", walk: func(f shottest.Frame) {
		f.Until("the first page is there", `document.body.dataset.page === "pre-login"`)
		f.Fill("continue", nil)
		f.Until("the consent is there", `document.body.dataset.page === "authorization"`)
		f.Fill("deny", nil)
	}},
	{name: "cancelled at the login", close: "user_exit login", walk: func(f shottest.Frame) {
		consent(f)
		f.Until("the login is there", `document.body.dataset.page === "login"`)
		f.Fill("cancel", nil)
	}},
	{name: "cancelled at the code", close: "user_exit 2fa", walk: func(f shottest.Frame) {
		consent(f)
		login(f, "jo@creator-otp.sandbox.com", good)
		f.Until("the code is asked for", `document.body.dataset.page === "2fa"`)
		f.Fill("cancel", nil)
	}},
}

// landed is the query of where the tab was sent back to.
func landed(tab *shottest.Tab) url.Values {
	tab.Await("#back")
	parsed, err := url.Parse(tab.URL())
	if err != nil {
		return nil
	}
	return parsed.Query()
}
