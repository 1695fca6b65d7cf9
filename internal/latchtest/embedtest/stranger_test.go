package embedtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

// strangerVisits is how often a page is shown to somebody it must not talk to.
const strangerVisits = 500

// payload counts the messages that a stranger has heard and that say anything.
// That a link is invalid says nothing.
const payload = `heard.filter((m) => m.event !== "invalid_session" || Object.keys(m).length !== 2).length`

// stranger is a site that listens to whatever anybody tells it.
func stranger(t *testing.T) string {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, `<!doctype html><title>Stranger</title><button id="open">Open</button><script>
			window.heard = []; window.others = []; addEventListener("message", (e) => heard.push(e.data));
			document.getElementById("open").onclick = () => { others.push(open("about:blank")) };</script>`)
	}))
	t.Cleanup(site.Close)
	return strings.Replace(site.URL, "127.0.0.1", "localhost", 1)
}

// stages are links of the app at every step there is.
func (h *house) stages() []string {
	h.Helper()
	begin := func() *latchtest.Visit {
		return h.Visit(h.Init(map[string]any{"clientAppId": h.Trial.ClientApps[latchkey.AppEmbed], "clientReferenceId": "user_1"}).URL)
	}
	login := func(address string) *latchtest.Visit {
		return begin().Consent().Submit("continue", "username", address, "password", good)
	}
	first, consent, atLogin, code, locked := begin(), begin().Submit("continue"), begin().Consent(),
		login("jo@creator-otp.sandbox.com"), login("jo@locked.sandbox.com")
	done, left := begin(), begin()
	addresses := []string{first.URL, consent.URL, atLogin.URL, code.URL, locked.URL, done.URL, left.URL, h.URL + "/cs_unknown"}
	done.Consent().Submit("continue", "username", "jo@creator.sandbox.com", "password", good)
	left.Submit("cancel")
	return addresses
}

// TestStrangersHearNothing is row B-2: whoever opens a page, frames it, or
// comes to where its host was, hears nothing from it.
func TestStrangersHearNothing(t *testing.T) {
	h := newHouse(t)
	evil, told, visits := stranger(t), 0, 0
	claims := []string{h.host, evil, "*", "null", "", h.host + "/", "https://shop.example"}
	tab := h.browser.Visit(t, evil, view)
	windows := make([]*shottest.Tab, 5)
	for i := range windows {
		windows[i] = h.browser.Opened(t, tab, func() { tab.Click("#open") })
	}
	stages := h.stages()
	address := func(n int) string {
		query := url.Values{"embed": {"true"}, "embed_origin": {claims[n%len(claims)]}, "n": {fmt.Sprint(n)}}
		return stages[(n/len(claims))%len(stages)] + "?" + query.Encode()
	}
	for visits < strangerVisits {
		for i := range windows {
			shottest.Eval[bool](tab, fmt.Sprintf(`(others[%d].location.replace(%q), true)`, i, address(visits+i)))
		}
		for i, window := range windows {
			// A page that nobody sees may wait for its pictures; its script has run.
			window.Top().Until("the page is there: "+address(visits+i), fmt.Sprintf(`location.search.endsWith("n=%d") && document.documentElement.dataset.live === ""`, visits+i))
		}
		visits += len(windows)
	}
	told += shottest.Eval[int](tab, payload)
	// A page that its own app had opened, and that has been left for another.
	host := h.visit("")
	popup := h.window(host, "#popup")
	popup.Top().Until("the page is there", `document.body.dataset.page === "pre-login"`)
	h.called(host, "load") // so that it would be heard
	host.Go(evil)
	scenarios[0].walk(popup.Top())
	latchtest.Eventually(t, "the link ends", func() bool { return len(h.Connections()) > 0 })
	deadline := time.Now().Add(10 * time.Second)
	for popup.Top().Try(`document.body.dataset.page === "login"`) && time.Now().Before(deadline) {
		continue // until the last page has been drawn, or has closed its window
	}
	told += shottest.Eval[int](host, payload)
	// A page in a frame of the stranger's is not shown at all.
	framed := h.browser.Visit(t, evil, view)
	shottest.Eval[bool](framed, `(() => { for (const url of ["`+strings.Join(stages, `", "`)+`"]) { const f = document.createElement("iframe");
		f.src = url + "?embed=true&embed_origin=" + encodeURIComponent("`+h.host+`"); f.onload = () => { window.loaded = (window.loaded || 0) + 1 }; document.body.append(f) } return true })()`)
	latchtest.Eventually(t, "the frames have been tried", func() bool { return shottest.Eval[int](framed, `window.loaded || 0`) == len(stages) })
	told += shottest.Eval[int](framed, payload)
	if told > 0 {
		t.Errorf("strangers hear %s", shottest.Eval[string](tab, `JSON.stringify(heard.slice(0, 5))`))
	}
	fmt.Printf("RESULT B-2 %d 0\nRESULT B-2.n %d %d\n", told, visits, strangerVisits)
}
