package reference

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"latchkey/internal/latchtest/shottest"

	"github.com/chromedp/chromedp/kb"
)

func TestThePageInABrowser(t *testing.T) {
	site := httptest.NewServer(newRouter(t, realDescription(t)))
	t.Cleanup(site.Close)
	browser := shottest.Open(t)
	tab := browser.Visit(t, site.URL+"/docs/api", shottest.View{Width: 320, Height: 640, Still: true})
	for _, width := range []int{320, 768, 1280} {
		for _, theme := range []string{"light", "dark"} {
			t.Run(fmt.Sprintf("nothing is cut off at %d, %s, and every text can be read", width, theme), func(t *testing.T) {
				tab.Look(shottest.View{Width: width, Height: 900, Dark: theme == "dark", Still: true})
				if over := shottest.Eval[int](tab, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
					t.Errorf("the page is %d pixels wider than the window", over)
				}
				if boxes := shottest.Eval[[]string](tab, scrolling); len(boxes) > 0 {
					t.Errorf("these have to be scrolled sideways: %q", boxes)
				}
				found := shottest.Eval[reading](tab, contrast)
				if found.Lowest < 4.5 || found.Texts < 1000 {
					t.Errorf("of %d texts %q has the contrast %.2f, want 4.5", found.Texts, found.Worst, found.Lowest)
				}
				t.Logf("lowest contrast %.2f", found.Lowest)
				keepPictures(t, tab, strconv.Itoa(width)+"-"+theme)
			})
		}
	}
	t.Run("the keyboard gets to the text, and on a phone to the contents", func(t *testing.T) {
		tab.Look(shottest.View{Width: 320, Height: 640, Still: true})
		tab.Go(site.URL + "/docs/api")
		tab.Press(kb.Tab)
		if focused := shottest.Eval[string](tab, "document.activeElement.className"); focused != "skip" {
			t.Fatalf("the first stop is %q", focused)
		}
		if seen := shottest.Eval[bool](tab, "document.activeElement.getBoundingClientRect().width > 44"); !seen {
			t.Error("the first stop can't be seen")
		}
		tab.Press(kb.Enter)
		if focused := shottest.Eval[string](tab, "document.activeElement.id"); focused != "main" {
			t.Errorf("it leads to %q", focused)
		}
		if open := shottest.Eval[bool](tab, "(document.querySelector('summary').focus(), document.querySelector('details').open)"); open {
			t.Error("the contents are open from the start")
		}
		tab.Press(kb.Enter)
		if open := shottest.Eval[bool](tab, "document.querySelector('details').open"); !open {
			t.Error("the contents do not open")
		}
	})
}

// scrolling lists the boxes in the text that are wider inside than outside.
const scrolling = `[...document.querySelectorAll("main *")].filter((box) =>
	["auto", "scroll"].includes(getComputedStyle(box).overflowX) && box.scrollWidth > box.clientWidth).map((box) => box.textContent.slice(0, 60))`

// reading is what contrast found.
type reading struct {
	Texts  int
	Lowest float64
	Worst  string
}

// contrast measures every text against what is behind it (WCAG 2.2, success
// criterion 1.4.3). The grounds of the page are all opaque.
const contrast = `(() => {
	const parse = (text) => text.match(/[\d.]+/g).map(Number);
	const ground = (box) => {
		for (; box; box = box.parentElement) {
			const [r, g, b, a = 1] = parse(getComputedStyle(box).backgroundColor);
			if (a === 1) return [r, g, b];
		}
		return [255, 255, 255];
	};
	const luminance = (colour) => {
		const [r, g, b] = colour.map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const found = { Texts: 0, Lowest: 21, Worst: "" };
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) {
		const box = texts.currentNode.parentElement;
		if (!texts.currentNode.data.trim() || !box.checkVisibility()) continue;
		const [one, two] = [luminance(parse(getComputedStyle(box).color).slice(0, 3)), luminance(ground(box))];
		const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
		found.Texts++;
		if (ratio < found.Lowest) [found.Lowest, found.Worst] = [ratio, texts.currentNode.data.trim()];
	}
	return found;
})()`

// keepPictures writes what the window shows of a few places into the folder
// that LATCHKEY_SCREENSHOTS names.
func keepPictures(t *testing.T, tab *shottest.Tab, label string) {
	t.Helper()
	folder := os.Getenv("LATCHKEY_SCREENSHOTS")
	if folder == "" {
		return
	}
	for _, id := range []string{"about", "initLink", "submitLinkStep", "proxyGet", "listEvents", "events", "object-Session", "errors"} {
		shottest.Eval[bool](tab, "(document.getElementById('"+id+"').scrollIntoView(), true)")
		if err := os.WriteFile(filepath.Join(folder, "reference-"+id+"-"+label+".png"), tab.Window(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
