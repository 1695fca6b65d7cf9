package sdktest

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/internal/latchtest"
)

func TestTheGoExample(t *testing.T) {
	program := filepath.Join(t.TempDir(), "example")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./docs/examples/go")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	t.Run("an account is linked and its provider called", func(t *testing.T) {
		linkWith(t, exec.CommandContext(t.Context(), program))
	})
	t.Run("a person who gives up is told of", func(t *testing.T) {
		s := latchtest.Start(t, latchtest.Options{})
		output, err := runExample(s, exec.CommandContext(t.Context(), program), func(visit *latchtest.Visit) *latchtest.Visit {
			return visit.Submit("cancel")
		})
		if err == nil || !strings.Contains(output, "not linked: cancelled pre-login") {
			t.Errorf("%v\n%s", err, output)
		}
	})
}

// quickstart runs the JavaScript example where the package is installed.
func quickstart(t *testing.T, shop workshop) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs/examples/js/quickstart.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(shop.folder, "quickstart.mjs"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "node", "quickstart.mjs")
	command.Dir = shop.folder
	linkWith(t, command)
}

// linkWith runs an example to its end with a person who links.
func linkWith(t *testing.T, command *exec.Cmd) {
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
	for _, want := range []string{
		"Linked " + connection.UserData.Name + " as " + connection.ID + "\n", "Connection " + connection.ID + " is active\n",
		`The provider says {"list":[{"id":"post_`,
	} {
		if !strings.Contains(output, want) {
			t.Errorf("it does not say %q:\n%s", want, output)
		}
	}
}

// runExample starts an example, opens the link that it prints as a person
// would, follows the way back, and waits for its end. It returns what was
// printed after the link, errors included.
func runExample(s *latchtest.Server, command *exec.Cmd, person func(*latchtest.Visit) *latchtest.Visit) (string, error) {
	s.Helper()
	command.Env = append(os.Environ(), environment(s)...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := command.Start(); err != nil {
		s.Fatal(err)
	}
	defer func() { _ = command.Process.Kill() }()
	printed := bufio.NewReader(out)
	line, err := printed.ReadString('\n')
	if err != nil {
		s.Fatalf("no link is printed: %v %s", command.Wait(), withoutSecrets(complaints.String()))
	}
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "Open ")
	if !ok {
		s.Fatal("the first line is no link")
	}
	landed := person(s.Visit(address)).Landed
	if landed == nil {
		s.Fatal("the person was not sent back")
	}
	if landed.Port() != "" { // where the example listens
		comeBack(s, landed.String())
	}
	rest, err := io.ReadAll(printed)
	if err != nil {
		s.Fatal(err)
	}
	err = command.Wait()
	return string(rest) + complaints.String(), err
}

// comeBack follows the way back to the app.
func comeBack(s *latchtest.Server, address string) {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, address, nil)
	if err != nil {
		s.Fatal(err)
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		s.Fatal(err)
	}
	_ = response.Body.Close()
}
