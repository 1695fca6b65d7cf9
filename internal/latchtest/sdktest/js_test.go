package sdktest

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"latchkey/internal/latchtest"
)

func TestTheJavaScriptClient(t *testing.T) {
	w := newWorkshop(t, t.TempDir(), "sdk/js/server")
	w.npm("run", "build")
	t.Run("its tests pass against a running server", func(t *testing.T) {
		s := latchtest.Start(t, latchtest.Options{})
		apps, err := json.Marshal(s.Trial.ClientApps)
		if err != nil {
			t.Fatal(err)
		}
		output := workshop{t, w.folder}.run(w.folder, append(environment(s), "LATCHKEY_APPS="+string(apps)), "npm", "test")
		t.Log(withoutSecrets(output))
		if passed, failed := count(output, "pass"), count(output, "fail"); passed < 100 || failed != 0 {
			t.Errorf("%d tests passed and %d failed, want at least 100 and none", passed, failed)
		}
	})
	t.Run("the document's lines fit its types", func(t *testing.T) { checkSnippets(t, w) })
	t.Run("its package is whole and needs no other", func(t *testing.T) {
		packed := workshop{t, w.folder}.pack()
		app := t.TempDir()
		shop := workshop{t, app}
		shop.npm("install", "--offline", packed)
		entries, err := os.ReadDir(filepath.Join(app, "node_modules"))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if name := entry.Name(); name != "@latchkey" && !strings.HasPrefix(name, ".") {
				t.Errorf("%s came with it", name)
			}
		}
		for _, file := range []string{"LICENSE", "README.md", "dist/index.js", "dist/index.d.ts", "src/index.ts"} {
			if _, err := os.Stat(filepath.Join(app, "node_modules/@latchkey/server", file)); err != nil {
				t.Error(err)
			}
		}
		quickstart(t, shop)
		readmeQuickstart(t, shop)
	})
}

// count returns a figure of the summary that node --test prints, in either of
// the forms that its versions choose.
func count(output, name string) int {
	found := regexp.MustCompile(`(?m)^(?:#|ℹ) ` + name + ` (\d+)$`).FindStringSubmatch(output)
	if found == nil {
		return -1
	}
	figure, _ := strconv.Atoi(found[1])
	return figure
}

// What is installed to build a library must come from where everybody's comes
// from.
func TestTheLocksNameNoRegistry(t *testing.T) {
	for _, library := range libraries {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(library), "package-lock.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`"resolved":\s*"([^"]*)"`).FindAllStringSubmatch(string(text), -1) {
			if found[1] != "../embed" && !strings.HasPrefix(found[1], "https://registry.npmjs.org/") {
				t.Errorf("something for %s is to be fetched from %s", library, found[1])
			}
		}
		if !strings.Contains(string(text), `"integrity": "sha512-`) {
			t.Errorf("the lock of %s pins no content", library)
		}
	}
}
