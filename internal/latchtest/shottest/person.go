package shottest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/chromedp"
)

// Type clicks into the field that the selector finds and types the text, key
// by key.
func (tab *Tab) Type(selector, text string) {
	tab.t.Helper()
	tab.click(selector)
	tab.do("type into "+selector, chromedp.SendKeys(selector, text))
}

// Click presses what the selector finds, once it can be seen.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.click(selector)
}

// click does so again when the page has put another element in the place of the
// one that was found, as a person would: nothing has been pressed then.
func (tab *Tab) click(selector string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Click(selector))
		if err == nil {
			return
		}
		if !isReplaced(err) || ctx.Err() != nil {
			tab.t.Fatalf("click %s: %v", selector, err)
		}
	}
}

// isReplaced reports whether the browser says that an element has left the page.
func isReplaced(err error) bool {
	var told *cdproto.Error
	return errors.As(err, &told) && strings.Contains(told.Message, "Could not find node")
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

// Person opens an empty tab in a profile of its own: nothing is shared with
// any other person, no cookie, no cache, no history. It ends with the test.
func (b *Browser) Person(t testing.TB) *Tab {
	t.Helper()
	return open(t, b.ctx, chromedp.WithNewBrowserContext())
}

// Sibling opens another empty tab of the same person.
func (tab *Tab) Sibling() *Tab {
	tab.t.Helper()
	return open(tab.t, tab.ctx)
}

func open(t testing.TB, parent context.Context, options ...chromedp.ContextOption) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open tab: %v", err)
	}
	return &Tab{t: t, ctx: ctx}
}

// Reach loads a page however often something that was begun before, as a
// reload, gets in between.
func (tab *Tab) Reach(url string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Navigate(url))
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			tab.t.Fatalf("load %s: %v", url, err)
		}
	}
}
