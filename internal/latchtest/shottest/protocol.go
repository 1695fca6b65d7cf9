package shottest

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

// Listen tells of every event of the tab from now on, before the command that
// follows the event returns. It must be quick and must not use the tab.
func (tab *Tab) Listen(told func(event any)) {
	tab.t.Helper()
	if err := chromedp.Listen(tab.ctx, told); err != nil {
		tab.t.Fatalf("listen: %v", err)
	}
}

// Call runs a command of the DevTools protocol in the tab.
func Call[P, R any](tab *Tab, what string, command cdp.Command[P, R], parameters P) R {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	answer, err := chromedp.Call(ctx, command, parameters)
	if err != nil {
		tab.t.Fatalf("%s: %v", what, err)
	}
	return answer
}

// Settle returns what the promise of a JavaScript expression comes to.
func Settle[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	return run(tab, "wait for a promise", chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}
