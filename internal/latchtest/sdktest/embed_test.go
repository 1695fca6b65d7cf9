package sdktest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

func TestTheEmbedPackages(t *testing.T) {
	top := t.TempDir()
	embed := newWorkshop(t, top, "sdk/js/embed")
	packages := []string{embed.pack()}
	react := newWorkshop(t, top, "sdk/js/react") // finds what embed has built beside it
	packages = append(packages, react.pack())
	shop := workshop{t, t.TempDir()}
	shop.npm(append([]string{"install", "--offline", "--legacy-peer-deps"}, packages...)...)
	t.Run("they are whole and bring no other", func(t *testing.T) {
		entries, err := os.ReadDir(filepath.Join(shop.folder, "node_modules"))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if name := entry.Name(); name != "@latchkey" && !strings.HasPrefix(name, ".") {
				t.Errorf("%s came with them", name)
			}
		}
		for _, name := range []string{"embed", "react"} {
			for _, file := range []string{"LICENSE", "README.md", "dist/index.js", "dist/index.d.ts", "src/index.ts"} {
				info, err := os.Lstat(filepath.Join(shop.folder, "node_modules/@latchkey", name, file))
				if err != nil || !info.Mode().IsRegular() {
					t.Errorf("%s of %s: %v", file, name, err)
				}
			}
		}
	})
	t.Run("the document's lines fit their types", func(t *testing.T) { checkEmbedSnippets(t, workshop{t, react.folder}) })
	page := bundlePage(t, react, shop)
	t.Run("a page of React opens a link", func(t *testing.T) { tryReact(t, page) })
}

// checkEmbedSnippets compiles the document's lines against the types of what
// was built.
func checkEmbedSnippets(t *testing.T, w workshop) {
	t.Helper()
	document, err := os.ReadFile(filepath.Join(root, "docs", "embed.md"))
	if err != nil {
		t.Fatal(err)
	}
	imports, text, count := map[string]bool{}, "declare function tellBackend(id: string): void;\ndeclare function say(words: string): void;\ndeclare const url: () => Promise<string>;\n", 0
	for _, language := range []string{"js", "jsx"} {
		for i, part := range strings.Split(string(document), "```"+language+"\n") {
			block, _, whole := strings.Cut(part, "```")
			if i == 0 || !whole {
				continue
			}
			count++
			text += "{\n"
			for _, line := range strings.Split(block, "\n") {
				if strings.HasPrefix(line, "import ") {
					imports[line] = true
				} else {
					text += strings.TrimPrefix(line, "export ") + "\n"
				}
			}
			text += "}\n"
		}
	}
	if count < 4 || len(imports) != 2 {
		t.Fatalf("%d blocks with %d imports", count, len(imports))
	}
	for line := range imports {
		text = line + "\n" + text
	}
	if err := os.WriteFile(filepath.Join(w.folder, "document.tsx"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.npm("exec", "--", "tsc", "--noEmit", "--strict", "--noImplicitAny", "false", "--jsx", "react-jsx", "--skipLibCheck",
		"--target", "ES2022", "--lib", "ES2022,DOM,DOM.Iterable", "--module", "NodeNext", "document.tsx")
}

// bundlePage makes the script of the test's page, with the packages as they
// were installed in the shop and the React of the workshop.
func bundlePage(t *testing.T, react, shop workshop) []byte {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(react.folder, "test/page.mjs"))
	if err == nil {
		err = os.WriteFile(filepath.Join(shop.folder, "page.mjs"), source, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(react.folder, "node_modules")
	shop.run(shop.folder, []string{"NODE_PATH=" + modules}, filepath.Join(modules, ".bin/esbuild"), "page.mjs", "--bundle", "--outfile=page.js",
		`--define:process.env.NODE_ENV="development"`)
	made, err := os.ReadFile(filepath.Join(shop.folder, "page.js"))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// finished is a hosted page of another origin, on which the person is done at
// the very moment at which the app asks to leave.
const finished = `<!doctype html><title>Link</title><script>
const host = new URLSearchParams(location.search).get("embed_origin");
const say = (event, metadata) => parent.postMessage({ type: "OFAUTH_LINK", event, metadata }, host);
addEventListener("message", ({ data }) => {
  for (let i = 0; i < 2; i++) say("success", { successUrl: host + "/back", redirect: false, connection: { id: "conn_1", userData: null } });
});
say("loaded");
</script>`

// tryReact works the page in a browser: with the app, and with a page that
// finishes while it is closed.
func tryReact(t *testing.T, script []byte) {
	serve := func(path, mediaType, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", mediaType)
			_, _ = io.WriteString(w, body)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", serve("/", "text/html", `<!doctype html><title>Shop</title><div id="root"></div><script src="/page.js"></script>`))
	mux.HandleFunc("/page.js", serve("/page.js", "text/javascript", string(script)))
	host := httptest.NewServer(mux)
	t.Cleanup(host.Close)
	other := httptest.NewServer(http.HandlerFunc(serve("/", "text/html", finished)))
	t.Cleanup(other.Close)
	s := latchtest.Start(t, latchtest.Options{})
	app := s.Trial.ClientApps["embed"]
	s.Want(http.StatusOK, "PATCH", "/v2/client-apps/"+app, map[string]any{"allowedOrigins": []string{host.URL}})
	browser := shottest.Open(t)
	for _, test := range []struct {
		name, link string
		steps      []string // ids that are clicked, each after the page has told all before it
		told       []string // after the step of the same place; "" for nothing
	}{
		{"a link that was left is used up", s.Init(map[string]any{"clientAppId": app}).URL,
			[]string{"open", "close", "button"}, []string{"load 1", "close 1 user_exit", "invalid button"}},
		{"a dialog goes with its component", s.Init(map[string]any{"clientAppId": app}).URL,
			[]string{"button", "leave"}, []string{"load button", ""}},
		{"callbacks are those of the last rendering, and success comes once", other.URL + "/cs_1",
			[]string{"open", "next", "close", "open", "next", "close"}, []string{"load 1", "", "success 2 conn_1", "load 2", "", "success 3 conn_1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			tab := browser.Visit(t, host.URL+"/?link="+url.QueryEscape(test.link), shottest.View{Width: 1280, Height: 800})
			tab.Await("#open")
			var want []string
			for i, id := range test.steps {
				shottest.Eval[bool](tab, fmt.Sprintf(`document.getElementById(%q).click(), true`, id))
				if test.told[i] != "" {
					want = append(want, test.told[i])
				}
				var got []string
				latchtest.Eventually(t, id, func() bool {
					got = shottest.Eval[[]string](tab, "told")
					return len(got) >= len(want)
				})
				if !slices.Equal(got, want) {
					t.Fatalf("after %s it was told %q, want %q", id, got, want)
				}
				if id == "open" {
					latchtest.Eventually(t, "ready", func() bool {
						return shottest.Eval[string](tab, `document.getElementById("ready").textContent`) == "true"
					})
				}
			}
			if left := shottest.Eval[int](tab, "document.body.querySelectorAll(':scope > div:not(#root)').length"); left != 0 {
				t.Errorf("%d dialogs are left", left)
			}
			if scrolls := shottest.Eval[string](tab, "document.documentElement.style.overflow"); scrolls != "" {
				t.Errorf("the page is left with overflow %q", scrolls)
			}
		})
	}
}
