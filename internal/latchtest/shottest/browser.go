// Package shottest looks at pages in a real browser: Debian's chromium,
// headless, with a fresh profile, at a chosen size and colour scheme.
//
//	Open(t) ──▶ Browser ──Visit(url, View)──▶ Tab ──▶ Go, Look, Shot, Eval, Press
//	                                           └ closed with the test
//
// A browser that can't be started fails the test: a look that was not taken
// proves nothing.
package shottest

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// patience is how long one call to the browser may take, on a busy machine.
const patience = 60 * time.Second

// Browser is one running chromium: Debian's chromium-headless-shell, which is the
// same engine without the windows around the pages, and half the work.
type Browser struct{ ctx context.Context }

// Open starts a browser that ends with the test, with more options than the
// usual if there are any.
func Open(t testing.TB, more ...chromedp.ExecAllocatorOption) *Browser {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath("chromium-headless-shell"),
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
		chromedp.Headless,
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.UserDataDir(t.TempDir()),
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(options, more...)...)
	ctx, _ := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Errorf("close browser: %v", err)
		}
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return &Browser{ctx: ctx}
}

// View is how a page is looked at.
type View struct {
	Width, Height int // CSS pixels
	Dark          bool
	Forced        bool // forced colours, as with Windows' high contrast
	Still         bool // reduced motion
}

// Tab is a page that has been loaded.
type Tab struct {
	t   testing.TB
	ctx context.Context
}

// Visit loads the page and waits until it is complete. The tab closes with the
// test, or earlier with Close.
func (b *Browser) Visit(t testing.TB, url string, view View) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	t.Cleanup(cancel)
	tab := &Tab{t: t, ctx: ctx}
	// The tab lives as long as the context it is first used with, so that one
	// must not end after a call.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open tab: %v", err)
	}
	tab.Look(view)
	tab.Go(url)
	return tab
}

// Go loads another page into the tab.
func (tab *Tab) Go(url string) {
	tab.t.Helper()
	tab.do("load "+url, chromedp.Navigate(url))
}

// Close closes the tab.
func (tab *Tab) Close() {
	tab.t.Helper()
	if err := chromedp.Cancel(tab.ctx); err != nil {
		tab.t.Fatalf("close tab: %v", err)
	}
}

// Look changes how the loaded page is looked at, without loading it again.
func (tab *Tab) Look(view View) {
	tab.t.Helper()
	tab.do("set size", chromedp.EmulateViewport(int64(view.Width), int64(view.Height)))
	features := []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: either(view.Dark, "dark", "light")},
		{Name: "forced-colors", Value: either(view.Forced, "active", "none")},
		{Name: "prefers-reduced-motion", Value: either(view.Still, "reduce", "no-preference")},
	}
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		tab.t.Fatalf("set media features: %v", err)
	}
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

func (tab *Tab) do(what string, step chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	run(tab, what, step)
}

func run[T any](tab *Tab, what string, action chromedp.Action[T]) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		tab.t.Fatalf("%s: %v", what, err)
	}
	return value
}

// Eval returns the value of a JavaScript expression in the tab.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	return run(tab, "evaluate", chromedp.Evaluate[T](expression))
}

// Press presses a key, for example kb.Tab.
func (tab *Tab) Press(key string) {
	tab.t.Helper()
	tab.do("press a key", chromedp.KeyEvent(key))
}

// Shot returns a PNG of the whole page, at least as high as the view.
func (tab *Tab) Shot() []byte {
	tab.t.Helper()
	return run(tab, "take a picture", chromedp.FullScreenshot(100))
}

// Window returns a PNG of what the window shows, for a page that is too long
// to be taken whole.
func (tab *Tab) Window() []byte {
	tab.t.Helper()
	return run(tab, "take a picture", chromedp.CaptureScreenshot())
}

// Shoot returns a PNG of the page at url in a browser of its own.
func Shoot(t testing.TB, url string, width, height int, dark bool) []byte {
	t.Helper()
	tab := Open(t).Visit(t, url, View{Width: width, Height: height, Dark: dark, Still: true})
	return tab.Shot()
}
