package guardtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"

	"latchkey"
	"latchkey/internal/latchtest/shottest"
)

// installAxe installs what testdata/axe/package-lock.json names and returns the
// text of axe-core.
func installAxe(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", "axe", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--prefer-offline", "--no-audit", "--no-fund")
	npm.Dir = folder
	if printed, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v; run make deps\n%s", err, printed)
	}
	text, err := os.ReadFile(filepath.Join(folder, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// violation is a rule of axe-core that a page breaks.
type violation struct {
	ID, Impact, Help string
	Nodes            []string // the HTML at fault
}

// runAxe holds the page against every rule, best practices too. The count of
// the rules that applied shows that axe-core looked.
const runAxe = `axe.run(document, {resultTypes: ["violations"]}).then(found => ({
	Passes: found.passes.length,
	Violations: found.violations.map(v => ({ID: v.id, Impact: v.impact, Help: v.help, Nodes: v.nodes.map(n => n.html)})),
}))`

// verdict is what axe-core says of a page.
type verdict struct {
	Passes     int
	Violations []violation
}

// locales are those in which the pages are looked at, and their directions: the
// source language, one from right to left, and the pseudo-locale.
var locales = map[string]string{"en": "ltr", "ar": "rtl", "en-XA": "ltr"}

func TestAxeFindsNothing(t *testing.T) {
	axe := installAxe(t)
	s := start(t)
	pages := pagesOf(s, latchkey.AppRedirect)
	address, release := trying(s, latchkey.AppRedirect)
	defer release()
	pages["trying"] = address
	tab := shottest.Open(t).Visit(t, pages["login"], phone)
	// axe-core is injected, which the policy of the pages is there to prevent.
	shottest.Call(tab, "bypass the policy", page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true})
	violations, looks := 0, 0
	for _, name := range named(pages) {
		for locale, direction := range locales {
			tab.Go(with(pages[name], "lang="+locale))
			if got := shottest.Eval[string](tab, `document.documentElement.lang+" "+document.documentElement.dir`); got != locale+" "+direction {
				t.Errorf("%s in %s: the document is %s", name, locale, got)
			}
			shottest.Eval[bool](tab, axe+";true")
			for _, dark := range []bool{false, true} {
				view := phone
				view.Dark = dark
				tab.Look(view)
				found := shottest.Settle[verdict](tab, runAxe)
				looks++
				violations += len(found.Violations)
				for _, broken := range found.Violations {
					t.Errorf("%s in %s, dark %v: %s (%s): %s: %.300q", name, locale, dark, broken.ID, broken.Impact, broken.Help, broken.Nodes)
				}
				if found.Passes < 10 {
					t.Errorf("%s in %s: axe-core applied %d rules only", name, locale, found.Passes)
				}
			}
		}
	}
	fmt.Printf("RESULT B-10 %d 0\n", violations)
	fmt.Printf("RESULT B-10.n %d 90\n", looks)
	if looks < 90 {
		t.Errorf("only %d looks", looks)
	}
}

func TestAxeIsNotBlind(t *testing.T) {
	axe := installAxe(t)
	tab := shottest.Open(t).Visit(t, "data:text/html,<!doctype html><title>x</title><img src=x><input><p style='color:%23ddd;background:%23fff'>pale", phone)
	shottest.Eval[bool](tab, axe+";true")
	found := map[string]bool{}
	for _, broken := range shottest.Settle[verdict](tab, runAxe).Violations {
		found[broken.ID] = true
	}
	for _, rule := range []string{"image-alt", "label", "color-contrast", "html-has-lang"} {
		if !found[rule] {
			t.Errorf("axe-core does not notice %s", rule)
		}
	}
}
