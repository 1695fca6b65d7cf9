package shottest

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// Type clicks into the field that the selector finds and types the text, key
// by key.
func (tab *Tab) Type(selector, text string) {
	tab.t.Helper()
	tab.do("click into "+selector, chromedp.Click(selector))
	tab.do("type into "+selector, chromedp.SendKeys(selector, text))
}

// Click presses what the selector finds, once it can be seen.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.do("click "+selector, chromedp.Click(selector))
}

// Await waits until what the selector finds can be seen.
func (tab *Tab) Await(selector string) {
	tab.t.Helper()
	tab.do("wait for "+selector, chromedp.WaitVisible(selector))
}

// URL returns where the tab is.
func (tab *Tab) URL() string {
	tab.t.Helper()
	return run(tab, "read the address", chromedp.Location())
}

// Text returns the readable text of the page, on one line.
func (tab *Tab) Text() string {
	tab.t.Helper()
	return strings.Join(strings.Fields(Eval[string](tab, "document.body.innerText")), " ")
}
