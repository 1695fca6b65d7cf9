package sdktest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What is committed is what its source makes.
func TestTheBundlesAreThoseOfTheirSource(t *testing.T) {
	folder := t.TempDir()
	program := filepath.Join(folder, "bundle")
	for _, command := range []*exec.Cmd{
		exec.CommandContext(t.Context(), "go", "build", "-C", "tools", "-o", program, "./bundle"),
		exec.CommandContext(t.Context(), program, "-out", folder),
	} {
		command.Dir = root
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	for _, name := range []string{"embed.js", "page.js"} {
		committed, err := os.ReadFile(filepath.Join(root, "internal/hosted/static", name))
		if err != nil {
			t.Fatal(err)
		}
		made, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(made, committed) {
			t.Errorf("%s is not what its source makes; run make bundle", name)
		}
	}
}
