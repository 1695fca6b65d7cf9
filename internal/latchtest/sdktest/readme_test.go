package sdktest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/internal/latchtest"
)

// readmeProgram writes a program of the README to a file of its own.
func readmeProgram(t *testing.T, folder, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "<!-- run: "+name+" -->\n```")
	_, rest, opened := strings.Cut(rest, "\n")
	program, _, closed := strings.Cut(rest, "```\n")
	if !found || !opened || !closed {
		t.Fatalf("the README has no %s", name)
	}
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheGoOfTheREADME(t *testing.T) {
	folder := t.TempDir()
	program := filepath.Join(folder, "program")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, readmeProgram(t, folder, "quickstart.go"))
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	startQuickly(t, exec.CommandContext(t.Context(), program))
}

// readmeQuickstart runs the README's JavaScript where the package is installed.
func readmeQuickstart(t *testing.T, shop workshop) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "node", readmeProgram(t, shop.folder, "quickstart.mjs"))
	command.Dir = shop.folder
	startQuickly(t, command)
}

// startQuickly runs a quick start to its end with a person who links.
func startQuickly(t *testing.T, command *exec.Cmd) {
	t.Helper()
	s := latchtest.Start(t, latchtest.Options{})
	output, err := runExample(s, command, func(visit *latchtest.Visit) *latchtest.Visit {
		visit.Submit("continue", "provider", "sandbox").Submit("approve")
		return visit.Submit("continue", "username", "you@creator.sandbox.com", "password", "good-password")
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	connection := s.Connections()[0]
	if want := "Linked " + connection.UserData.Name + " as " + connection.ID + "\n"; !strings.Contains(output, want) {
		t.Errorf("it does not say %q:\n%s", want, output)
	}
}
