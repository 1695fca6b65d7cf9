package browsertest

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"latchkey/internal/latchtest/shottest"
)

// shared is the browser of the package, once a test needs it.
var shared struct {
	sync.Once
	browser *shottest.Browser
	stop    func() error
	err     error
}

// TestMain ends the browser.
func TestMain(m *testing.M) {
	status := m.Run()
	if shared.stop != nil {
		if err := shared.stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	os.Exit(status)
}

// person opens a tab in a profile of its own. Windows in the background are
// not slowed down, and frames of other sites have processes of their own.
func person(t testing.TB) *shottest.Tab {
	t.Helper()
	shared.Do(func() {
		folder, err := os.MkdirTemp("", "browsertest")
		if err != nil {
			shared.err = err
			return
		}
		var stop func() error
		shared.browser, stop, shared.err = shottest.Launch(folder, chromedp.Flag("site-per-process", true),
			chromedp.Flag("disable-background-timer-throttling", true), chromedp.Flag("disable-renderer-backgrounding", true),
			chromedp.Flag("disable-backgrounding-occluded-windows", true))
		if shared.err == nil {
			shared.stop = func() error {
				defer func() { _ = os.RemoveAll(folder) }()
				return stop()
			}
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.browser.Person(t)
}
