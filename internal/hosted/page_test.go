package hosted

import (
	"bytes"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
)

func TestEveryPageIsWhole(t *testing.T) {
	for name, content := range sampleContents() {
		t.Run(name, func(t *testing.T) {
			document := draw(t, samplePage(content))
			checkInert(t, document)
			checkForms(t, document)
			for selector, want := range map[string]int{"h1": 1, "main": 1, "title": 1, "footer": 1, "html[lang=en][dir=ltr][data-theme=auto]": 1} {
				if got := document.Find(selector).Length(); got != want {
					t.Errorf("%d of %s, want %d", got, selector, want)
				}
			}
			if document.Find("title").Text() == "" || document.Find("h1").Text() == "" {
				t.Error("the title or the heading is empty")
			}
			if first := document.Find("h1, h2").First(); goquery.NodeName(first) != "h1" {
				t.Error("a second heading comes before the first")
			}
			checkUnique(t, document)
		})
	}
}

// buttons returns the actions of the page's buttons, in order.
func buttons(document *goquery.Document) []string {
	return document.Find("button:not([type=button])").Map(func(_ int, button *goquery.Selection) string { return button.AttrOr("value", "") })
}

func TestButtonsOfEachPage(t *testing.T) {
	want := map[string][]string{
		"pre-login":     {"continue", "cancel"},
		"authorization": {"approve", "deny"},
		"login":         {"continue", "cancel"},
		"2fa":           {"continue", "resend", "cancel"},
		"2fa-refused":   {"continue", "resend", "cancel"},
		"redirect":      {"cancel"},
		"wait":          {"poll", "cancel"},
		"trying":        {"poll"},
		"done":          nil,
		"error":         {"continue"},
		"error-unknown": nil,
		"expired":       {"continue"},
		"gone":          nil,
		"not-found":     nil,
	}
	for name, actions := range want {
		page := samplePage(sampleContents()[name])
		page.CanGoBack = false
		if diff := cmp.Diff(actions, buttons(draw(t, page)), cmp.Transformer("empty", func(s []string) string { return strings.Join(s, " ") })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	t.Run("back is offered only where it leads somewhere", func(t *testing.T) {
		for _, name := range []string{"pre-login", "authorization", "login", "2fa", "wait"} {
			if !slices.Contains(buttons(draw(t, samplePage(sampleContents()[name]))), "back") {
				t.Errorf("%s has no button back", name)
			}
		}
	})
}

func TestGoneRevealsNothing(t *testing.T) {
	for _, content := range []Content{Gone{}, NotFound{}} {
		full := samplePage(content)
		bare := drawBytes(t, Page{AssetPrefix: "/static/x", RequestID: "req_1", Languages: full.Languages, Content: content})
		full.AssetPrefix, full.RequestID, full.LogoPath = "/static/x", "req_1", "/static/providers/sandbox.svg"
		if diff := cmp.Diff(string(bare), string(drawBytes(t, full))); diff != "" {
			t.Errorf("%s depends on what the link was for:\n%s", content.name(), diff)
		}
	}
}

func TestRender(t *testing.T) {
	t.Run("a page without content is refused", func(t *testing.T) {
		if err := Render(&bytes.Buffer{}, Page{}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("a path that leads to another host is refused and nothing is written", func(t *testing.T) {
		for _, path := range []string{"https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "x.svg", "javascript:alert(1)"} {
			choice := PreLogin{Providers: []ProviderChoice{{ID: "a", LogoPath: path}}}
			for what, page := range map[string]Page{
				"asset prefix": {AssetPrefix: path, Content: Gone{}},
				"form action":  {Action: path, Content: Gone{}},
				"logo":         {LogoPath: path, Content: Gone{}},
				"choice":       {Content: choice},
			} {
				var html bytes.Buffer
				if err := Render(&html, page); err == nil || html.Len() > 0 {
					t.Errorf("%s %q: error %v, %d bytes", what, path, err, html.Len())
				}
			}
		}
	})
	t.Run("a form without an action posts to the page's own URL", func(t *testing.T) {
		page := samplePage(Login{Prompt: loginPrompt})
		page.Action = ""
		if _, has := draw(t, page).Find("form").Attr("action"); has {
			t.Error("the form has an action")
		}
	})
	t.Run("language, direction and theme are set", func(t *testing.T) {
		page := samplePage(Gone{})
		page.Lang, page.Theme = "ar", ThemeDark
		document := draw(t, page)
		if document.Find("html[lang=ar][dir=rtl][data-theme=dark]").Length() != 1 || document.Find(`meta[name=color-scheme][content=dark]`).Length() != 1 {
			t.Error("they are not on the document")
		}
	})
}

func TestAFirstVisitIsSmall(t *testing.T) {
	assets := 0
	err := fs.WalkDir(Assets(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if path == "embed.js" { // for the pages of apps
			return nil
		}
		info, err := entry.Info()
		assets += int(info.Size())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	const limit = 40_000
	for _, name := range slices.Sorted(maps.Keys(sampleContents())) {
		if visit := assets + len(drawBytes(t, samplePage(sampleContents()[name]))); visit >= limit {
			t.Errorf("%s and its assets are %d bytes, limit %d", name, visit, limit)
		}
	}
	t.Logf("RESULT login %d bytes with assets, limit %d", assets+len(drawBytes(t, samplePage(Login{Prompt: loginPrompt}))), limit)
}

func TestAssetsHaveOneName(t *testing.T) {
	if hash := AssetHash(); len(hash) != 12 || hash != AssetHash() {
		t.Errorf("asset hash %q", hash)
	}
	icons, err := fs.ReadFile(Assets(), "icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range sampleContents() {
		draw(t, samplePage(content)).Find("use").Each(func(_ int, use *goquery.Selection) {
			_, icon, _ := strings.Cut(use.AttrOr("href", ""), "#")
			if !bytes.Contains(icons, []byte(`<symbol id="`+icon+`"`)) {
				t.Errorf("%s uses the icon %q, which is not drawn", name, icon)
			}
		})
	}
}
