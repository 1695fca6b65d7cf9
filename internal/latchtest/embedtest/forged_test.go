package embedtest

import (
	_ "embed"
	"fmt"
	"os"
	"strings"
	"testing"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

// forgers lists what nobody but the page of a link may say.
//
//go:embed testdata/forgers.js
var forgers string

// TestForgedMessagesHaveNoEffect sends the app's page what its link never
// said: from another origin, from the right origin but another window, from no
// origin at all, by itself, and from the right window after the end. What may
// be told of a link, nobody but its page can tell.
func TestForgedMessagesHaveNoEffect(t *testing.T) {
	h := newHouse(t)
	sent, effects := 0, 0
	tab := h.visit("")
	tab.Click("#iframe")
	frame := tab.Frame(h.URL)
	frame.Until("the page is there", `document.body.dataset.page === "pre-login"`)
	h.called(tab, "load")
	before := len(log(tab))
	for from, script := range map[string]string{
		"the page itself": `window.forge(window)`,
		"a frame of the app's own origin": `(() => { const f = document.createElement("iframe"); document.body.append(f);
			const s = f.contentWindow; for (const m of window.forgeries()) window.dispatchEvent(new MessageEvent("message", {data: m, origin: location.origin, source: s})); return window.forgeries().length })()`,
		"the right origin, another source": `(() => { for (const m of window.forgeries()) window.dispatchEvent(new MessageEvent("message",
			{data: m, origin: "` + h.URL + `", source: window})); return window.forgeries().length })()`,
		"the right origin, no source": `(() => { for (const m of window.forgeries()) window.dispatchEvent(new MessageEvent("message",
			{data: m, origin: "` + h.URL + `"})); return window.forgeries().length })()`,
		"no origin, the right source": `(() => { const s = document.querySelector("body > div").shadowRoot.querySelector("iframe").contentWindow;
			for (const origin of ["null", "", "` + h.host + `", "` + h.URL + `.evil.example", "` + strings.Replace(h.URL, "http:", "https:", 1) + `"])
			for (const m of window.forgeries()) window.dispatchEvent(new MessageEvent("message", {data: m, origin, source: s})); return 5 * window.forgeries().length })()`,
	} {
		n := shottest.Eval[int](tab, "(() => {"+forgers+"; return "+script+"})()")
		if n == 0 {
			t.Errorf("%s sent nothing", from)
		}
		sent += n
		// What was posted arrives in order: an own message is the last of them.
		latchtest.Eventually(t, "all has arrived", func() bool { return shottest.Eval[bool](tab, arrived) })
		if said := log(tab)[before:]; len(said) > 0 {
			effects += len(said)
			t.Errorf("%s is believed: %q", from, said)
			before += len(said)
		}
	}
	// The right window of the right origin, with what is no message of ours.
	n := shottest.Eval[int](tab, "(() => {"+forgers+`; const s = document.querySelector("body > div").shadowRoot.querySelector("iframe").contentWindow;
		for (const m of window.malformed()) window.dispatchEvent(new MessageEvent("message", {data: m, origin: "`+h.URL+`", source: s})); return window.malformed().length })()`)
	sent += n
	if said := log(tab)[before:]; len(said) > 0 {
		effects += len(said)
		t.Errorf("what is no message is believed: %q", said)
	}
	if polluted := shottest.Eval[string](tab, `String(({}).polluted) + String(({}).event) + location.href`); polluted != "undefinedundefined"+h.host+"/" {
		effects++
		t.Errorf("the page is changed: %s", polluted)
	}
	// The link is as it was, and ends as it should, once.
	(scenarios[0]).walk(frame)
	h.succeeded(tab)
	before = len(log(tab))
	sent += shottest.Eval[int](tab, "(() => {"+forgers+`; for (const m of window.forgeries()) window.dispatchEvent(new MessageEvent("message",
		{data: m, origin: "`+h.URL+`", source: window})); return window.forgeries().length })()`)
	if said := log(tab)[before:]; len(said) > 0 {
		effects += len(said)
		t.Errorf("after the end it is believed: %q", said)
	}
	fmt.Printf("RESULT B-2.forged %d 0\nRESULT B-2.forged.n %d 200\n", effects, sent)
	if sent < 200 {
		t.Errorf("%d forgeries, want 200", sent)
	}
}

// arrived is true once a message that was posted after all others is there.
const arrived = `(() => {
	if (!window.last) {
		window.last = 1;
		addEventListener("message", function hear(e) { if (e.data === "last") { window.last = 2; removeEventListener("message", hear) } });
		postMessage("last", location.origin);
	}
	return window.last === 2 && (window.last = 0, true);
})()`

// called waits for a callback without a value.
func (h *house) called(tab *shottest.Tab, name string) {
	h.Helper()
	latchtest.Eventually(h.TB, "the page hears "+name, func() bool {
		for _, entry := range log(tab) {
			if strings.HasPrefix(entry, name+" ") {
				return true
			}
		}
		return false
	})
}

func TestNoScriptOfOursTellsEverybody(t *testing.T) {
	for _, name := range []string{"page.js", "embed.js"} {
		content, err := os.ReadFile("../../hosted/static/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, wild := range []string{`"*"`, `'*'`, "`*`", "innerHTML", "eval(", "document.write"} {
			if strings.Contains(string(content), wild) {
				t.Errorf("%s holds %s", name, wild)
			}
		}
	}
}
