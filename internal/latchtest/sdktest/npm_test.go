package sdktest

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/latchtest"
)

// root is the folder of the repository.
const root = "../../.."

// libraries are the folders of the packages, below the root; one that needs
// another stands after it.
var libraries = []string{"sdk/js/server", "sdk/js/embed", "sdk/js/react"}

// workshop is a copy of a library in which it is built, so that the tree
// stays as it is while other tests read it.
type workshop struct {
	testing.TB
	folder string
}

// newWorkshop copies a library to its place below top, without what was built
// in the tree, and installs what it is built with.
func newWorkshop(t *testing.T, top, library string) workshop {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%v; run make deps", err)
		}
	}
	w := workshop{t, filepath.Join(top, filepath.FromSlash(library))}
	source := os.DirFS(filepath.Join(root, filepath.FromSlash(library)))
	err := fs.WalkDir(source, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{"node_modules", "dist"}, name):
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(w.folder, name), 0o755)
		}
		content, err := fs.ReadFile(source, name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(w.folder, name), content, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	licence, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	if err == nil {
		err = os.WriteFile(filepath.Join(top, "LICENSE"), licence, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.npm("ci")
	return w
}

// pack builds the package and returns the file that would be published.
func (w workshop) pack() string {
	w.Helper()
	printed := strings.TrimSpace(w.npm("pack", "--silent"))
	return filepath.Join(w.folder, printed[strings.LastIndexByte(printed, '\n')+1:])
}

// run runs a command in a folder, with variables added to its environment, and
// returns what it printed. It fails the test when the command fails.
func (w workshop) run(folder string, environment []string, name string, arguments ...string) string {
	w.Helper()
	command := exec.CommandContext(w.Context(), name, arguments...)
	command.Dir, command.Env = folder, append(os.Environ(), environment...)
	var printed bytes.Buffer
	command.Stdout, command.Stderr = &printed, &printed
	if err := command.Run(); err != nil {
		w.Fatalf("%s %s: %v\n%s", name, strings.Join(arguments, " "), err, withoutSecrets(printed.String()))
	}
	return printed.String()
}

// npm runs npm in the workshop.
func (w workshop) npm(arguments ...string) string {
	w.Helper()
	return w.run(w.folder, nil, "npm", arguments...)
}

// withoutSecrets makes output fit to be shown.
func withoutSecrets(output string) string {
	return regexp.MustCompile(`\b(sk_[a-z]+|cs|whsec)_[0-9A-Za-z+/=]+`).ReplaceAllString(output, "${1}_…")
}

// environment says to a program which server it is given.
func environment(s *latchtest.Server) []string {
	return []string{"LATCHKEY_URL=" + s.URL, "LATCHKEY_KEY=" + s.Trial.APIKey}
}
