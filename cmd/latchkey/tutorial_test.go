package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// tutorialStep is a marked block of the tutorial: a piece of a file, or something to do.
type tutorialStep struct {
	kind string // file, append, terminal, console or sh
	file string
	text string
}

// tutorialSteps returns the marked blocks of docs/recipes.md in their order.
func tutorialSteps(t *testing.T) []tutorialStep {
	t.Helper()
	text := documents(t)[filepath.Join(root, "docs", "recipes.md")]
	block := regexp.MustCompile("(?s)<!-- tutorial: ([a-z]+) ?(\\S*) -->\n```[a-z]+\n(.*?)```")
	var steps []tutorialStep
	for _, found := range block.FindAllStringSubmatch(text, -1) {
		steps = append(steps, tutorialStep{kind: found[1], file: found[2], text: found[3]})
	}
	if marks := strings.Count(text, "<!-- tutorial:"); marks != len(steps) || len(steps) < 12 {
		t.Fatalf("%d blocks of %d marks", len(steps), marks)
	}
	return steps
}

// student follows the tutorial in a folder of their own.
type student struct {
	*testing.T
	folder string
	moved  *strings.Replacer // from the addresses of the document to those of this run
	site   *transcript       // what the first terminal shows
	codes  int               // text messages read there so far
	script string            // what was typed into the second one as shell
}

// The tutorial is followed to the letter, up to a linked account.
func TestTheTutorialOfTheRecipes(t *testing.T) {
	began := time.Now()
	s := &student{T: t, folder: t.TempDir(), moved: strings.NewReplacer()}
	var addresses []string
	for _, step := range tutorialSteps(t) {
		text := s.moved.Replace(step.text)
		switch step.kind {
		case "file", "append":
			s.write(step.kind == "append", step.file, text)
		case "console":
			s.console(text)
		case "terminal":
			addresses = append(addresses, s.terminal(text)...)
			s.moved = strings.NewReplacer(addresses...)
		case "sh":
			s.script += s.moved.Replace(step.text)
		default:
			t.Fatalf("no such kind of block: %s", step.kind)
		}
	}
	out := s.shell(strict + s.script)
	for _, want := range []string{
		`/callback\?status=success&connection_id=conn_`, `"username":"babbage"`, `"name":"Charles Babbage"`,
		`"notes":\["The engine can arrange and combine\."\]`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("nothing in the output is like %s", want)
		}
	}
	if t.Failed() {
		t.Logf("the output was:\n%s", withoutSecrets([]byte(out)))
	}
	t.Logf("followed in %s", time.Since(began).Round(time.Millisecond))
}

// What the tutorial writes is the example.
func TestTheTutorialWritesTheExample(t *testing.T) {
	var written strings.Builder
	for _, step := range tutorialSteps(t) {
		if step.kind == "file" || step.kind == "append" {
			written.WriteString(step.text)
		}
	}
	example, err := os.ReadFile(filepath.Join(root, "docs", "examples", "notes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if written.String() != string(example) {
		t.Error("docs/examples/notes.yaml is not what docs/recipes.md writes")
	}
}

// write writes a piece of a file.
func (s *student) write(more bool, file, text string) {
	s.Helper()
	path := filepath.Join(s.folder, file)
	before, err := os.ReadFile(path)
	if more == os.IsNotExist(err) {
		s.Fatalf("%s: append %t, %v", file, more, err)
	}
	if err := os.WriteFile(path, append(before, text...), 0o600); err != nil {
		s.Fatal(err)
	}
}

// terminal starts what goes on while the rest is done, and returns the address
// that the document gives it and the one it has.
func (s *student) terminal(text string) []string {
	s.Helper()
	command, shows, _ := strings.Cut(text, "\n")
	words := strings.Fields(strings.TrimPrefix(command, "$ "))
	documented := regexp.MustCompile(`http://\S+`).FindString(shows)
	switch {
	case strings.HasPrefix(command, "$ go run ./docs/examples/site"):
		return []string{documented, s.startSite()}
	case words[0] == "latchkey" && words[1] == "dev":
		dev, err := launch(s.folder, append(words[1:], "--json", "--listen", "127.0.0.1:0")...)
		if err != nil {
			s.Fatal(err)
		}
		s.Cleanup(func() {
			if err := dev.stop(); err != nil {
				s.Errorf("stop: %v", err)
			}
		})
		return []string{documented, dev.url}
	}
	s.Fatalf("unknown command %q", command)
	return nil
}

// startSite runs the site of the tutorial on a free port.
func (s *student) startSite() string {
	s.Helper()
	url, output := runSite(s)
	s.site = output
	return url
}

// console does what a transcript shows: each command, what is typed when it is
// asked for, and what must be shown.
func (s *student) console(text string) {
	s.Helper()
	for _, part := range strings.Split("\n"+text, "\n$ ")[1:] {
		lines := strings.Split(strings.TrimSpace(part), "\n")
		words := strings.Fields(lines[0])
		if words[0] != "latchkey" {
			s.Fatalf("unknown command %q", lines[0])
		}
		s.talk(words[1:], lines[1:])
	}
}

// asks is a line of a transcript at which somebody has typed.
var asks = regexp.MustCompile(`^((?:Username|Password|Code)[^:]*): (.+)$`)

// talk runs a command and types what the lines say when it asks.
func (s *student) talk(args, lines []string) {
	s.Helper()
	command := exec.CommandContext(s.Context(), built, args...)
	command.Dir = s.folder
	typing, err := command.StdinPipe()
	if err != nil {
		s.Fatal(err)
	}
	shown := &screen{grown: make(chan struct{}, 1)}
	command.Stdout, command.Stderr = shown, shown
	if err := command.Start(); err != nil {
		s.Fatal(err)
	}
	var wanted []string
	from := 0
	for _, line := range lines {
		asked := asks.FindStringSubmatch(line)
		if asked == nil {
			wanted = append(wanted, line)
			continue
		}
		if from = shown.await(asked[1]+": ", from); from < 0 {
			break
		}
		if _, err := io.WriteString(typing, s.typed(asked[2])+"\n"); err != nil {
			s.Errorf("type an answer: %v", err)
		}
	}
	_ = typing.Close()
	ended := command.Wait()
	failing := strings.Contains(strings.Join(wanted, "\n"), "latchkey: ")
	if (ended != nil) != failing {
		s.Fatalf("latchkey %s: %v\n%s", strings.Join(args, " "), ended, shown.text())
	}
	for _, line := range wanted {
		if !strings.Contains("\n"+shown.text(), "\n"+line+"\n") && !strings.Contains(shown.text(), line) {
			s.Errorf("latchkey %s does not show %q but\n%s", strings.Join(args, " "), line, shown.text())
		}
	}
}

// typed is what the document says to type; the code is in the first terminal.
func (s *student) typed(text string) string {
	if !strings.HasPrefix(text, "(") {
		return text
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < patience; <-tick.C {
		codes := regexp.MustCompile(`your code is (\d+)\n`).FindAllStringSubmatch(s.site.String(), -1)
		if len(codes) > s.codes { // the site has written down the one it has just sent
			s.codes = len(codes)
			return codes[len(codes)-1][1]
		}
	}
	s.Fatal("the site has sent no code")
	return ""
}

// shell runs a script in the folder.
func (s *student) shell(script string) string {
	s.Helper()
	shell := exec.CommandContext(s.Context(), "sh", "-eu")
	shell.Dir, shell.Stdin = s.folder, strings.NewReader(script)
	var complaints bytes.Buffer
	shell.Stderr = &complaints
	out, err := shell.Output()
	if err != nil {
		s.Fatalf("%v\n%s\n%s", err, complaints.String(), withoutSecrets(out))
	}
	return string(out)
}

// screen is what a command shows, and tells when there is more.
type screen struct {
	mu     sync.Mutex
	buffer bytes.Buffer
	grown  chan struct{}
}

// Write shows more.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.grown <- struct{}{}:
	default:
	}
	return s.buffer.Write(p)
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buffer.String()
}

// await waits until a text is shown after a place, and returns where it ends,
// -1 when it does not come.
func (s *screen) await(text string, from int) int {
	patient := time.After(patience)
	for {
		shown := s.text()
		if at := strings.Index(shown[from:], text); at >= 0 {
			return from + at + len(text)
		}
		select {
		case <-s.grown:
		case <-patient:
			return -1
		}
	}
}
