package shottest

import (
	"context"
	"sync"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Requested watches where the tab's scripts and the answers to its forms want
// it to go from now on, also where a browser without that app can't, and returns
// what lists it.
func (tab *Tab) Requested() func() []string {
	tab.t.Helper()
	var mu sync.Mutex
	var wanted []string
	Call(tab, "watch the network", network.Enable, network.EnableParams{})
	err := chromedp.Listen(tab.ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch asked := event.(type) {
		case *page.EventFrameRequestedNavigation:
			wanted = append(wanted, asked.URL)
		case *network.EventRequestWillBeSent:
			wanted = append(wanted, asked.Request.URL)
		}
	})
	if err != nil {
		tab.t.Fatalf("listen to the tab: %v", err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), wanted...)
	}
}

// Before runs a script in every document of the tab before its own do.
func (tab *Tab) Before(script string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	if err != nil {
		tab.t.Fatalf("add a script: %v", err)
	}
}
