package shottest

import (
	"bytes"
	"image/png"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

const samplePage = `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
<title>sample</title><style>
body { margin: 0; background: #fff; height: 900px }
@media (prefers-color-scheme: dark) { body { background: #000 } }
</style><body><input id="first"><input id="second">`

func samplePages(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(samplePage))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestShoot(t *testing.T) {
	url := samplePages(t)
	for name, dark := range map[string]bool{"a light picture is light": false, "a dark picture is dark": true} {
		t.Run(name, func(t *testing.T) {
			picture, err := png.Decode(bytes.NewReader(Shoot(t, url, 320, 480, dark)))
			if err != nil {
				t.Fatalf("decode picture: %v", err)
			}
			size := picture.Bounds().Size()
			if size.X != 320 || size.Y != 900 {
				t.Errorf("the picture is %v, want the whole page, 320 by 900", size)
			}
			red, _, _, _ := picture.At(300, 800).RGBA()
			if got := red < 0x8000; got != dark {
				t.Errorf("dark: %v, want %v", got, dark)
			}
		})
	}
}

func TestTab(t *testing.T) {
	tab := Open(t).Visit(t, samplePages(t), View{Width: 768, Height: 600, Still: true, Forced: true})

	t.Run("an expression has a value", func(t *testing.T) {
		if got := Eval[int](tab, `innerWidth`); got != 768 {
			t.Errorf("inner width %d, want 768", got)
		}
	})
	t.Run("media features are as asked for", func(t *testing.T) {
		if !Eval[bool](tab, `matchMedia("(prefers-reduced-motion: reduce) and (forced-colors: active)").matches`) {
			t.Error("reduced motion or forced colours are not set")
		}
	})
	t.Run("a key moves the focus", func(t *testing.T) {
		tab.Press(kb.Tab)
		tab.Press(kb.Tab)
		if got := Eval[string](tab, `document.activeElement.id`); got != "second" {
			t.Errorf("focus is on %q, want second", got)
		}
	})
}
