package sdktest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// snippets returns the blocks of a language in the clients' document.
func snippets(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "clients.md"))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for i, part := range strings.Split(string(text), "```"+language+"\n") {
		if block, _, whole := strings.Cut(part, "```"); i > 0 && whole {
			found = append(found, block)
		}
	}
	if len(found) < 8 {
		t.Fatalf("%d blocks of %s", len(found), language)
	}
	return found
}

// goFrame is what stands around the document's Go.
const goFrame = `package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	latchkey "latchkey/sdk/go"
)

var _, _, _, _, _, _, _ = context.Background, errors.New, fmt.Sprint, io.ReadAll, http.StatusText, os.Getenv, strings.NewReader

func main() {}
`

func TestTheGoOfTheDocumentCompiles(t *testing.T) {
	text := goFrame
	for _, block := range snippets(t, "go") {
		text += "\nvar _ = func(ctx context.Context, client *latchkey.Client, connectionID, appID, cursor string) error {\n" + block
		if !strings.HasSuffix(block, "return err\n") {
			text += "return nil\n"
		}
		text += "}\n"
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	vet := exec.CommandContext(t.Context(), "go", "vet", file)
	vet.Dir = root
	if output, err := vet.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// checkSnippets compiles the document's JavaScript against the types of the
// package that was built.
func checkSnippets(t *testing.T, w workshop) {
	t.Helper()
	text := "declare const process: { env: Record<string, string> };\ndeclare const connectionId: string, appId: string;\ndeclare let cursor: string;\n"
	for i, block := range snippets(t, "js") {
		if i > 0 {
			block = "{\n" + block + "}\n"
		}
		text += block
	}
	if err := os.WriteFile(filepath.Join(w.folder, "document.mts"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	workshop{t, w.folder}.npm("exec", "--", "tsc", "--noEmit", "--strict", "--noImplicitAny", "false",
		"--target", "ES2022", "--lib", "ES2022,DOM,DOM.Iterable", "--module", "NodeNext", "document.mts")
}
