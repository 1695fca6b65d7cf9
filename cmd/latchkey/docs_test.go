package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"latchkey/internal/app"
)

// root is the folder of the repository.
const root = "../.."

// runnable marks a block of shell that works as it stands, on a fresh start of
// `latchkey dev` in the present folder and after the blocks before it.
const runnable = "<!-- run -->\n```sh\n"

// documents returns the README and everything in docs.
func documents(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	texts := map[string]string{}
	for _, path := range append(paths, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[path] = string(text)
	}
	return texts
}

// blocks returns what stands between a fence's beginning and its end.
func blocks(text, beginning string) []string {
	var found []string
	for i, part := range strings.Split(text, beginning) {
		if block, _, whole := strings.Cut(part, "```"); i > 0 && whole {
			found = append(found, block)
		}
	}
	return found
}

// runBlocks pastes a document's blocks, in order, into one shell in the folder
// of a fresh `latchkey dev`, with what comes before and after. Where the
// document says 127.0.0.1:8080 it is that server.
func runBlocks(t *testing.T, text, before, after string) string {
	t.Helper()
	for _, tool := range []string{"sh", "curl", "sed"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%v; run make deps", err)
		}
	}
	folder := t.TempDir()
	s := startDev(t, folder)
	script := before + strings.Join(blocks(text, runnable), "\n") + after
	script = strings.ReplaceAll(script, "http://127.0.0.1:8080", s.url)
	shell := exec.CommandContext(t.Context(), "sh", "-eu")
	shell.Dir, shell.Stdin = folder, strings.NewReader(script)
	shell.Env = append(os.Environ(), "PATH="+filepath.Dir(built)+string(os.PathListSeparator)+os.Getenv("PATH"))
	var complaints bytes.Buffer
	shell.Stderr = &complaints
	out, err := shell.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, complaints.String(), withoutSecrets(out))
	}
	return string(out)
}

// withoutSecrets makes output fit to be shown.
func withoutSecrets(out []byte) string {
	return regexp.MustCompile(`\b(sk_[a-z]+|cs|whsec)_[0-9A-Za-z+/=]+`).ReplaceAllString(string(out), "${1}_…")
}

func TestTheREADME(t *testing.T) {
	text := documents(t)[filepath.Join(root, "README.md")]
	if len(blocks(text, runnable)) < 3 {
		t.Fatal("the blocks are gone")
	}
	out := runBlocks(t, text, "", `
printf '\nCONNECTION %s\n' "$CONNECTION"
curl -s -o self -w 'SELF %{http_code}\n' $URL/v2/access/self -H "apikey: $KEY" -H "x-connection-id: $CONNECTION"
`)
	for _, want := range []string{
		`http://127\.0\.0\.1/callback\?status=success&connection_id=conn_`, `\nCONNECTION conn_[0-9A-Za-z]+\n`, `\nSELF 200\n$`,
		`"list":\[\{"id":"post_`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("nothing in the output is like %s", want)
		}
	}
	if t.Failed() {
		t.Logf("the output was:\n%s", withoutSecrets([]byte(out)))
	}
}

// strict makes every request that is refused end the shell. In a pipeline only
// the last command counts; then what it extracts is empty and the next request
// is refused.
const strict = "curl() { command curl -sS --fail-with-body \"$@\"; }\n"

func TestTheDocuments(t *testing.T) {
	for path, text := range documents(t) {
		if filepath.Base(path) == "README.md" || len(blocks(text, runnable)) == 0 {
			continue
		}
		t.Run(filepath.Base(path)+" does what it says", func(t *testing.T) {
			t.Parallel()
			out := runBlocks(t, text, strict, "\n")
			if out == "" {
				t.Error("the commands print nothing")
			}
		})
	}
}

func TestTheLinksOfTheDocuments(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
	for path, text := range documents(t) {
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), found[1])); err != nil {
				t.Errorf("%s links to nothing: %v", path, err)
			}
		}
	}
}

func TestTheCallsOfTheDocuments(t *testing.T) {
	latch, err := app.New(t.Context(), app.Config{Data: filepath.Join(t.TempDir(), "data")}, app.Parts{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = latch.Stop(t.Context()) }()
	served := map[string]bool{}
	for _, route := range latch.Routes() {
		served[route.Pattern] = true
	}
	call := regexp.MustCompile("`((?:GET|POST|PUT|PATCH|DELETE) /v2/[^` ?]+)[^`]*`")
	for path, text := range documents(t) {
		for _, found := range call.FindAllStringSubmatch(text, -1) {
			if !served[found[1]] {
				t.Errorf("%s names %s, which is not served", path, found[1])
			}
		}
	}
}
