package guardtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp/kb"

	"latchkey"
	"latchkey/internal/latchtest/shottest"
)

// operable marks everything that can be operated and notes how it looks without
// the focus. Of radio buttons of one name, one is reached and arrows go on.
const operable = `(() => {
	document.activeElement && document.activeElement.blur();
	window.looks = e => [e, e.closest("label")].filter(Boolean).map(e => { const s = getComputedStyle(e); return [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.borderColor, s.backgroundColor].join() }).join();
	const names = new Set();
	const all = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], [contenteditable]")].filter(e => {
		if (e.disabled || !e.checkVisibility() || e.tabIndex < 0) return false;
		if (e.type !== "radio") return true;
		const first = !names.has(e.name);
		names.add(e.name);
		return first;
	});
	all.forEach((e, i) => { e.dataset.guard = e.type === "radio" ? "radio " + e.name : i; e.plain = looks(e) });
	for (const e of document.querySelectorAll("input[type=radio]")) { e.dataset.guard = "radio " + e.name; e.plain = looks(e) }
	return all.map(e => e.dataset.guard);
})()`

// attended is what has the focus, and whether that is seen: it looks otherwise
// than without, and is in the window.
const attended = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body || e.dataset.guard === undefined) return ["", ""];
	const box = (e.closest("label") || e).getBoundingClientRect();
	const seen = looks(e) !== e.plain && box.bottom > 0 && box.top < innerHeight && box.width > 0;
	return [e.dataset.guard, seen ? "seen" : "unseen"];
})()`

func TestTheKeyboardReachesEverything(t *testing.T) {
	s := start(t)
	pages := pagesOf(s, latchkey.AppRedirect)
	tab := shottest.Open(t).Visit(t, "about:blank", phone)
	controls, missed := 0, 0
	for _, name := range named(pages) {
		tab.Go(with(pages[name], "lang=ar"))
		want := shottest.Eval[[]string](tab, operable)
		var reached []string
		for range len(want) + 4 { // the browser may stop at its own controls between
			tab.Press(kb.Tab)
			at := shottest.Eval[[2]string](tab, attended)
			if at[1] == "unseen" {
				missed++
				t.Errorf("%s: the focus on %s is not seen", name, at[0])
			}
			if at[0] != "" && !slices.Contains(reached, at[0]) {
				reached = append(reached, at[0])
			}
		}
		for _, control := range want {
			controls++
			if !slices.Contains(reached, control) {
				missed++
				t.Errorf("%s: the keyboard does not reach %s of %v", name, control, want)
			}
		}
	}
	fmt.Printf("RESULT B-10.keyboard %d 0\n", missed)
	fmt.Printf("RESULT B-10.keyboard.n %d 50\n", controls)
	if controls < 50 {
		t.Errorf("only %d controls", controls)
	}
}

// aloud is what a screen reader has to say of the page, and of each control by
// its name.
func aloud(tab *shottest.Tab) (all string, controls map[string]string) {
	var b strings.Builder
	controls = map[string]string{}
	text := func(value *accessibility.Value) string {
		if value == nil {
			return ""
		}

		said := strings.Trim(string(value.Value), `"`)
		return strings.ReplaceAll(said, `\"`, `"`)
	}
	for _, node := range shottest.Call(tab, "read the accessibility tree", accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if node.Ignored {
			continue
		}
		role := text(node.Role)
		if role == "StaticText" {
			b.WriteString(text(node.Name) + " ")
		}
		if role == "textbox" || role == "button" || role == "radio" || role == "link" {
			controls[text(node.Name)] = role + ": " + text(node.Description)
		}
	}
	return strings.Join(strings.Fields(b.String()), " "), controls
}

func TestAScreenReaderSaysWhoAsksForWhat(t *testing.T) {
	s := start(t)
	s.ChangeApp(latchkey.AppRedirect, func(a *latchkey.ClientApp) {
		a.Name, a.Domain = "Acme Shop", "shop.acme.example"
		a.Permissions = []latchkey.Permission{{Name: "profile:read", Purpose: "to greet you by name"}, {Name: "messages:send", Purpose: "to answer your buyers"}}
	})
	tab := shottest.Open(t).Visit(t, "about:blank", phone)
	silent, said := 0, 0
	for step, test := range map[string]struct {
		address string
		words   []string
	}{
		"pre-login":     {open(s, latchkey.AppRedirect, "sandbox").URL, []string{"Acme Shop", "shop.acme.example", "Sandbox"}},
		"authorization": {open(s, latchkey.AppRedirect, "sandbox").Submit("continue").URL, []string{"Acme Shop", "shop.acme.example", "to greet you by name", "messages:send", "to answer your buyers"}},
		"login":         {open(s, latchkey.AppRedirect, "sandbox").Consent().URL, []string{"Acme Shop", "shop.acme.example", "You are giving your", "Latchkey", "never sees it"}},
	} {
		tab.Go(test.address)
		all, controls := aloud(tab)
		for _, word := range test.words {
			if said++; !strings.Contains(all, word) {
				silent++
				t.Errorf("%s: a screen reader does not say %q: %s", step, word, all)
			}
		}
		for name, control := range controls {
			if said++; strings.TrimSpace(name) == "" {
				silent++
				t.Errorf("%s: a %s has no name", step, control)
			}
		}
		if password, ok := controls["Password"]; step == "login" && (!ok || !strings.Contains(password, "never sees it")) {
			silent++
			t.Errorf("the password's field is described by %q, not by who receives it: %v", password, controls)
		}
	}
	fmt.Printf("RESULT B-10.names %d 0\n", silent)
	fmt.Printf("RESULT B-10.names.n %d 20\n", said)
}
