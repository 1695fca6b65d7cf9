package hosted

import (
	_ "embed"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"latchkey/internal/latchtest/shottest"

	"github.com/chromedp/chromedp/kb"
)

// pageDuties measures, in the browser, what a loaded page owes to the person.
//
//go:embed testdata/duties.js
var pageDuties string

// pagePolicy is the policy the pages are served under.
const pagePolicy = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'self'; require-trusted-types-for 'script'; trusted-types 'none'"

// duties is what duties.js found.
type duties struct {
	Overflow    int      // CSS pixels the page is wider than the window
	Contrast    float64  // lowest of all texts
	Worst       string   // the text that has it
	Edge        float64  // lowest contrast of an input's edge
	Small       []string // targets under 44 CSS pixels
	DomainAt    float64  // lower edge of the app's domain; 0 when it is not shown
	HeadingAt   float64  // lower edge of the heading
	Focusable   []string // what the keyboard must reach, in order
	IconsDrawn  int
	IconsWanted int
}

// servePages serves every sample page as /<name>, and the assets.
func servePages(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET /static/"+AssetHash()+"/", http.StripPrefix("/static/"+AssetHash(), http.FileServerFS(Assets())))
	mux.HandleFunc("GET /static/providers/sandbox.svg", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		_, _ = w.Write([]byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" fill="#e8b04b"/><path d="M12 32c6-14 18-14 24 0z" fill="#7a4f0b"/></svg>`))
	})
	contents := sampleContents()
	mux.HandleFunc("GET /{page}", func(w http.ResponseWriter, r *http.Request) {
		content, ok := contents[r.PathValue("page")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		page := samplePage(content)
		query := r.URL.Query()
		page.Theme, page.Lang = query.Get("theme"), query.Get("lang")
		page.LogoPath = "/static/providers/sandbox.svg"
		if query.Has("long") {
			page.LogoPath = ""
			page.AppName, page.ProviderName = strings.Repeat("Wörterbuch", 100), strings.Repeat("M", 1000)
			page.AppDomain = strings.Repeat("a-very-long-label.", 12) + "example"
			page.ProviderDomain = page.AppDomain
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", pagePolicy)
		if err := Render(w, page); err != nil {
			t.Errorf("render %s: %v", r.URL.Path, err)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func sampleNames() []string { return slices.Sorted(maps.Keys(sampleContents())) }

func TestPagesInABrowser(t *testing.T) {
	site, browser := servePages(t), shottest.Open(t)
	t.Run("every page looks right at every width and in both themes", func(t *testing.T) { lookRight(t, site, browser) })
	t.Run("the app's domain is above the fold", func(t *testing.T) { keepTheDomainInSight(t, site, browser) })
	t.Run("foreign names do not break the layout", func(t *testing.T) { bearForeignNames(t, site, browser) })
	t.Run("the theme asked for overrides the system's", func(t *testing.T) { obeyTheTheme(t, site, browser) })
	t.Run("the keyboard reaches everything in order", func(t *testing.T) { serveTheKeyboard(t, site, browser) })
	t.Run("forced colours keep every control visible", func(t *testing.T) { keepFrames(t, site, browser) })
}

func lookRight(t *testing.T, site string, browser *shottest.Browser) {
	worst, looks := 21.0, 0
	tab := browser.Visit(t, site+"/login", shottest.View{Width: 320, Height: 480, Still: true})
	defer tab.Close()
	for _, name := range sampleNames() {
		tab.Go(site + "/" + name)
		for _, size := range [][2]int{{320, 480}, {768, 1024}, {1280, 800}} {
			for _, theme := range []string{"light", "dark"} {
				label := name + "-" + strconv.Itoa(size[0]) + "-" + theme
				t.Run(label, func(t *testing.T) {
					tab.Look(shottest.View{Width: size[0], Height: size[1], Dark: theme == "dark", Still: true})
					found := shottest.Eval[duties](tab, pageDuties)
					checkDuties(t, name, found)
					keepPicture(t, tab, label)
					worst, looks = min(worst, found.Contrast), looks+1
				})
			}
		}
	}
	t.Logf("RESULT B-10 %d looks, lowest contrast of a text %.2f, limit 4.5", looks, worst)
}

// keepPicture writes the picture into the folder LATCHKEY_SCREENSHOTS names.
func keepPicture(t *testing.T, tab *shottest.Tab, label string) {
	t.Helper()
	folder := os.Getenv("LATCHKEY_SCREENSHOTS")
	if folder == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(folder, label+".png"), tab.Shot(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func checkDuties(t *testing.T, name string, found duties) {
	t.Helper()
	if found.Overflow > 0 {
		t.Errorf("%d pixels wider than the window", found.Overflow)
	}
	if found.Contrast < 4.5 {
		t.Errorf("contrast %.2f of the text %q, want 4.5", found.Contrast, found.Worst)
	}
	if found.Edge < 3 {
		t.Errorf("contrast %.2f of an input's edge, want 3", found.Edge)
	}
	if len(found.Small) > 0 {
		t.Errorf("targets under 44 pixels: %v", found.Small)
	}
	if found.IconsDrawn != found.IconsWanted || found.IconsWanted == 0 {
		t.Errorf("%d of %d icons drawn", found.IconsDrawn, found.IconsWanted)
	}
	silent := slices.Contains([]string{"gone", "not-found", "elsewhere", "lost", "trouble", "trouble-busy"}, name)
	if shown := found.DomainAt > 0; shown == silent {
		t.Errorf("the app's domain is shown: %v", shown)
	}
}

func keepTheDomainInSight(t *testing.T, site string, browser *shottest.Browser) {
	views := map[string]shottest.View{
		"a small phone":          {Width: 320, Height: 480},
		"1280 by 800 at 200 %":   {Width: 640, Height: 400},
		"a phone on its side":    {Width: 568, Height: 320},
		"768 by 1024 at 200 %":   {Width: 384, Height: 512},
		"reflow, 1280 at 400 %":  {Width: 320, Height: 256},
		"a wall of 3840 by 2160": {Width: 3840, Height: 2160},
	}
	tab := browser.Visit(t, site+"/login", shottest.View{Width: 320, Height: 480})
	defer tab.Close()
	for _, page := range []string{"authorization", "login", "login-refused", "2fa"} {
		for view, size := range views {
			t.Run(page+" on "+view, func(t *testing.T) {
				tab.Look(size)
				tab.Go(site + "/" + page) // at this size: what takes the focus must not scroll it away
				if shottest.Eval[bool](tab, `document.querySelector("[autofocus]") !== null`) {
					t.Error("something has autofocus: the browser scrolls to that, sooner or later")
				}
				found := shottest.Eval[duties](tab, pageDuties)
				if found.DomainAt <= 0 || found.DomainAt > float64(size.Height) {
					t.Errorf("the domain ends at %.0f of %d", found.DomainAt, size.Height)
				}
				if found.HeadingAt > float64(size.Height) {
					t.Errorf("the heading ends at %.0f of %d", found.HeadingAt, size.Height)
				}
				if found.Overflow > 0 {
					t.Errorf("%d pixels wider than the window", found.Overflow)
				}
			})
		}
	}
}

func bearForeignNames(t *testing.T, site string, browser *shottest.Browser) {
	tab := browser.Visit(t, site+"/login", shottest.View{Width: 320, Height: 480, Still: true})
	defer tab.Close()
	for _, name := range sampleNames() {
		for _, query := range []string{"?long", "?long&lang=ar", "?lang=en-XA"} {
			t.Run(name+query, func(t *testing.T) {
				tab.Go(site + "/" + name + query)
				if found := shottest.Eval[duties](tab, pageDuties); found.Overflow > 0 {
					t.Errorf("%d pixels wider than the window", found.Overflow)
				}
				keepPicture(t, tab, name+strings.NewReplacer("?", "-", "&", "-", "=", "-").Replace(query))
			})
		}
	}
}

func obeyTheTheme(t *testing.T, site string, browser *shottest.Browser) {
	colour := func(query string, dark bool) string {
		tab := browser.Visit(t, site+"/login"+query, shottest.View{Width: 320, Height: 480, Dark: dark})
		defer tab.Close()
		return shottest.Eval[string](tab, `getComputedStyle(document.querySelector(".sheet")).backgroundColor`)
	}
	light, dark := colour("", false), colour("", true)
	if light == dark {
		t.Fatalf("both themes have the ground %s", light)
	}
	if got := colour("?theme=dark", false); got != dark {
		t.Errorf("theme=dark on a light system has the ground %s, want %s", got, dark)
	}
	if got := colour("?theme=light", true); got != light {
		t.Errorf("theme=light on a dark system has the ground %s, want %s", got, light)
	}
}

// focused is an expression for what has the focus and whether that can be
// seen. A radio button shows it on its whole row.
const focused = `(() => {
	const e = document.activeElement, ring = getComputedStyle(e.type === "radio" ? e.closest(".choice") : e);
	return [e.id || e.value || e.textContent, ring.outlineStyle !== "none" && parseFloat(ring.outlineWidth) >= 2 ? "seen" : "unseen"];
})()`

func serveTheKeyboard(t *testing.T, site string, browser *shottest.Browser) {
	tab, reached := browser.Visit(t, site+"/login", shottest.View{Width: 768, Height: 1024}), 0
	defer tab.Close()
	for _, name := range sampleNames() {
		t.Run(name, func(t *testing.T) {
			tab.Go(site + "/" + name)
			atOnce := shottest.Eval[bool](tab, `document.querySelector("[data-focus]") !== null`)
			for i, want := range shottest.Eval[duties](tab, pageDuties).Focusable {
				if i > 0 || !atOnce {
					tab.Press(kb.Tab)
				}
				if got := shottest.Eval[[2]string](tab, focused); got != [2]string{want, "seen"} {
					t.Fatalf("the focus is %q, want it on %q and seen", got, want)
				}
				reached++
			}
		})
	}
	t.Logf("RESULT B-10 %d controls reached by keyboard", reached)
}

func keepFrames(t *testing.T, site string, browser *shottest.Browser) {
	const unframed = `[...document.querySelectorAll("button, a.primary, input:not([type=hidden]):not([type=radio])")]
		.filter(e => parseFloat(getComputedStyle(e).borderTopWidth) < 1).map(e => e.textContent)`
	for _, name := range []string{"login-refused", "2fa-methods", "authorization", "wait"} {
		tab := browser.Visit(t, site+"/"+name, shottest.View{Width: 768, Height: 1024, Forced: true})
		if got := shottest.Eval[[]string](tab, unframed); len(got) > 0 {
			t.Errorf("%s: controls without a frame: %q", name, got)
		}
		tab.Close()
	}
}
