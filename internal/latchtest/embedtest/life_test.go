package embedtest

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"latchkey/internal/latchtest/shottest"
)

// begun waits for the first page in the dialog.
func (h *house) begun(tab *shottest.Tab, button string) shottest.Frame {
	h.Helper()
	tab.Click(button)
	frame := tab.Frame(h.URL)
	frame.Until("the first page is there", `document.body.dataset.page === "pre-login"`)
	h.called(tab, "load")
	return frame
}

// closedBy waits for the end and returns why.
func (h *house) closedBy(tab *shottest.Tab) string {
	h.Helper()
	why, _ := h.heard(tab, "close")["type"].(string)
	return why
}

func TestTheDialog(t *testing.T) {
	h := newHouse(t)
	for what, leave := range map[string]struct {
		by   func(*shottest.Tab)
		want string
	}{
		"the button of the page": {func(tab *shottest.Tab) { tab.Frame(h.URL).Fill("cancel", nil) }, "user_exit"},
		"the app, softly":        {func(tab *shottest.Tab) { shottest.Eval[bool](tab, `(handles[0].close(), true)`) }, "user_exit"},
		"the button of the dialog": {func(tab *shottest.Tab) {
			shottest.Eval[bool](tab, `(document.querySelector("body > div").shadowRoot.querySelector(".close").click(), true)`)
		}, "user_exit"},
		"Escape": {func(tab *shottest.Tab) {
			shottest.Eval[bool](tab, `(document.querySelector("body > div").shadowRoot.querySelector(".close").focus(), true)`)
			tab.Press(kb.Escape)
		}, "user_exit"},
	} {
		t.Run("is left by "+what, func(t *testing.T) {
			h := h.in(t)
			tab := h.visit("")
			defer tab.Close()
			h.begun(tab, "#iframe")
			leave.by(tab)
			if why := h.closedBy(tab); why != leave.want {
				t.Errorf("it is closed by %s, want %s", why, leave.want)
			}
			h.tidy(tab, scenario{close: leave.want})
		})
	}
	t.Run("is taken away without a word", func(t *testing.T) {
		h := h.in(t)
		tab := h.visit("")
		defer tab.Close()
		h.begun(tab, "#iframe")
		before := len(log(tab))
		left := shottest.Eval[int](tab, `(handles[0].destroy(), handles[0].destroy(), document.querySelectorAll("body > div").length)`)
		if left != 0 || len(log(tab)) != before {
			t.Errorf("%d dialogs are left, and it says %q", left, log(tab)[before:])
		}
	})
	t.Run("keeps the focus, has a name and stops the page behind it", func(t *testing.T) {
		h := h.in(t)
		tab := h.visit("")
		defer tab.Close()
		h.begun(tab, "#iframe")
		const state = `(() => { const root = document.querySelector("body > div").shadowRoot, dialog = root.querySelector("dialog");
			return [dialog.matches(":modal"), dialog.getAttribute("aria-label"), root.querySelector("iframe").title, root.activeElement.localName,
				document.documentElement.style.overflow, getComputedStyle(dialog).animationName].join() })()`
		if got, want := shottest.Eval[string](tab, state), "true,Link your account,Link your account,iframe,hidden,none"; got != want {
			t.Errorf("it is %s, want %s", got, want)
		}
		tab.Look(shottest.View{Width: 375, Height: 700, Still: true})
		const size = `(b => [b.width, b.height].join())(document.querySelector("body > div").shadowRoot.querySelector("dialog").getBoundingClientRect())`
		if got := shottest.Eval[string](tab, size); got != "375,700" {
			t.Errorf("on a phone it is %s, want the whole window", got)
		}
	})
	t.Run("opens once, however often it is asked to", func(t *testing.T) {
		h := h.in(t)
		tab := h.visit("")
		defer tab.Close()
		h.begun(tab, "#iframe")
		if dialogs := shottest.Eval[int](tab, `(handles[0].open(), handles[0].open(), document.querySelectorAll("body > div").length)`); dialogs != 1 {
			t.Errorf("there are %d dialogs", dialogs)
		}
	})
	t.Run("loaded twice, the script is there once", func(t *testing.T) {
		h := h.in(t)
		tab := h.visit("?twice")
		defer tab.Close()
		if scripts := shottest.Eval[int](tab, `document.querySelectorAll("script[src*='/embed.js']").length`); scripts != 2 {
			t.Fatalf("it is loaded %d times", scripts)
		}
		link := h.Init(map[string]any{"clientAppId": h.Trial.ClientApps["embed"]})
		shottest.Eval[bool](tab, `(document.querySelector("#plain").href = "`+link.URL+`", document.querySelector("#plain").click(), true)`)
		tab.Frame(h.URL).Until("the page is there", `document.body.dataset.page === "pre-login"`)
		if dialogs := shottest.Eval[int](tab, `document.querySelectorAll("body > div").length`); dialogs != 1 {
			t.Errorf("one click opens %d dialogs", dialogs)
		}
	})
	t.Run("two links on a page do not hear each other", func(t *testing.T) {
		h := h.in(t)
		tab := h.visit("")
		defer tab.Close()
		other := h.window(tab, "#popup")
		other.Top().Until("the window is there", `document.body.dataset.page === "pre-login"`)
		h.begun(tab, "#iframe")
		other.Top().Fill("cancel", nil)
		h.closedBy(tab)
		closes := 0
		for _, entry := range log(tab) {
			if strings.HasPrefix(entry, "close ") {
				closes++
			}
		}
		if dialogs := shottest.Eval[int](tab, `document.querySelectorAll("body > div").length`); closes != 1 || dialogs != 1 {
			t.Errorf("%d closed, %d dialogs left", closes, dialogs)
		}
	})
}

func TestTheWindow(t *testing.T) {
	h := newHouse(t)
	t.Run("closed by hand is noticed within a second", func(t *testing.T) {
		h := h.in(t)
		tab := h.visit("")
		defer tab.Close()
		window := h.window(tab, "#popup")
		window.Top().Until("the page is there", `document.body.dataset.page === "pre-login"`)
		h.called(tab, "load")
		shottest.Eval[bool](tab, `(window.log.push = function (entry) { if (entry.startsWith("close ")) window.noticed = performance.now(); return Array.prototype.push.call(this, entry) }, true)`)
		shottest.Eval[bool](window, `(opener.postMessage("bye", "*"), setTimeout(() => close(), 0), true)`)
		start := shottest.Eval[float64](tab, `performance.now()`)
		if why := h.closedBy(tab); why != "user_exit" {
			t.Errorf("it is closed by %s", why)
		}
		if took := shottest.Eval[float64](tab, `window.noticed`) - start; took > float64(time.Second/time.Millisecond) {
			t.Errorf("it is noticed after %.0f ms", took)
		}
	})
	t.Run("severed from its opener, finishes by itself and says what to do", func(t *testing.T) {
		h := h.in(t)
		tab := h.visit("?opener=same-origin")
		defer tab.Close()
		before := len(h.Connections())
		window := h.window(tab, "#popup")
		scenarios[0].walk(window.Top())
		window.Top().Until("it says what to do", `document.body.dataset.page === "done" && document.querySelector("[data-return]").checkVisibility()`)
		if after := len(h.Connections()); after < max(before, 1) {
			t.Errorf("there are %d connections", after)
		}
		if why := h.closedBy(tab); why != "unknown" {
			t.Errorf("the page is told of %s, want unknown", why)
		}
	})
	t.Run("of a link that is no more", func(t *testing.T) {
		h := h.in(t)
		tab := h.visit("?dead")
		defer tab.Close()
		tab.Click("#popup")
		h.called(tab, "invalid")
	})
	t.Run("opened for a site that is not the app's explains itself and tells it nothing", func(t *testing.T) {
		h := h.in(t)
		stranger := newHouse(t) // another app of another Latchkey
		link := h.Init(map[string]any{"clientAppId": h.Trial.ClientApps["embed"]})
		tab := stranger.visit("?link=" + url.QueryEscape(link.URL))
		defer tab.Close()
		window := stranger.window(tab, "#popup")
		window.Top().Until("it explains itself", `document.body.dataset.page === "foreign" && document.querySelector("main a").target === "_blank"`)
		if said := log(tab); len(said) != 0 {
			t.Errorf("the stranger hears %q", said)
		}
	})
}

func TestTheOtherWaysToOpen(t *testing.T) {
	h := newHouse(t)
	for _, way := range []struct{ name, prepare, selector, event string }{
		{"the element", `document.querySelector("#element").setAttribute("url", url)`, "#element", "success"},
		{"a link without a script of its own", `document.querySelector("#plain").href = url`, "#plain", "latchkey:success"},
	} {
		t.Run(way.name, func(t *testing.T) {
			h := h.in(t)
			tab := h.visit("")
			defer tab.Close()
			link := h.Init(map[string]any{"clientAppId": h.Trial.ClientApps["embed"]})
			shottest.Eval[bool](tab, `(url => { `+way.prepare+`; addEventListener("`+way.event+`", (e) => log.push("success " + JSON.stringify(e.detail))); return true })("`+link.URL+`")`)
			shottest.Eval[bool](tab, `(document.querySelector("`+way.selector+`").click(), true)`)
			scenarios[0].walk(tab.Frame(h.URL))
			h.succeeded(tab)
		})
	}
	t.Run("a page that never comes can be opened in a window", func(t *testing.T) {
		h := h.in(t)
		tab := h.visit("?dead") // nobody may frame the page of an unknown link
		defer tab.Close()
		tab.Click("#iframe")
		const button = `document.querySelector("body > div").shadowRoot.querySelector(".problem:not([hidden]) button")`
		deadline := time.Now().Add(30 * time.Second)
		for !shottest.Eval[bool](tab, button+` !== null`) {
			if time.Now().After(deadline) {
				t.Fatal("the dialog says nothing")
			}
		}
		tab.Press(kb.Enter) // the button has the focus
		h.called(tab, "invalid")
	})
	t.Run("what is no link is refused before anything opens", func(t *testing.T) {
		h := h.in(t)
		tab := h.visit("")
		defer tab.Close()
		for _, url := range []string{"javascript:alert(1)", "data:text/html,x", "/cs_x", "ftp://x.example/", "http://link.example.com:1/\\@evil", "https://user:pw@link.example/cs_x", "blob:" + h.URL + "/x"} {
			refused := shottest.Eval[bool](tab, `(url => { try { Latchkey.create({url, mode: "iframe"}).open(); return url.startsWith("http://link") } catch (e) { return e.message.startsWith("Latchkey: ") } finally { window.left = document.querySelectorAll("body > div").length } })(`+quoted(url)+`)`)
			if !refused {
				t.Errorf("%s is opened", url)
			}
		}
	})
}

func quoted(text string) string { return `"` + strings.ReplaceAll(text, `\`, `\\`) + `"` }
