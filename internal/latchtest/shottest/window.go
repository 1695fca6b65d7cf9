package shottest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// lookEvery is how often a condition is looked at.
const lookEvery = 20 * time.Millisecond

// Person opens an empty tab in a profile of its own: nothing is shared with
// any other person, no cookie, no cache, no history. It ends with the test.
func (b *Browser) Person(t testing.TB) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	tab := &Tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open tab: %v", err)
	}
	return tab
}

// Sibling opens another empty tab of the same person.
func (tab *Tab) Sibling() *Tab {
	tab.t.Helper()
	ctx, cancel := chromedp.NewContext(tab.ctx)
	tab.t.Cleanup(cancel)
	other := &Tab{t: tab.t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		tab.t.Fatalf("open tab: %v", err)
	}
	return other
}

// Other waits for a window, or a frame of another site, whose address contains
// the text, and returns it to be used like a tab.
func (tab *Tab) Other(part string) *Tab {
	tab.t.Helper()
	var found target.ID
	tab.wait("the window at "+part, func(ctx context.Context) bool {
		list, err := chromedp.Targets(ctx)
		for _, info := range list {
			if err == nil && (info.Type == "page" || info.Type == "iframe") && strings.Contains(info.URL, part) {
				found = info.TargetID
			}
		}
		return found != ""
	})
	ctx, cancel := chromedp.NewContext(tab.ctx, chromedp.WithTargetID(found))
	tab.t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		tab.t.Fatalf("look into the window at %s: %v", part, err)
	}
	return &Tab{t: tab.t, ctx: ctx}
}

// Until evaluates a JavaScript expression until it is true, also while the tab
// goes from page to page. An expression that acts does so once, when it is.
func (tab *Tab) Until(what, expression string) {
	tab.t.Helper()
	tab.wait(what, func(ctx context.Context) bool {
		done, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		return err == nil && done
	})
}

func (tab *Tab) wait(what string, done func(ctx context.Context) bool) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	for !done(ctx) {
		select {
		case <-ctx.Done():
			tab.t.Fatalf("it never came to %s", what)
		case <-ticks.C:
		}
	}
}
