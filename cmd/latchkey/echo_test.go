package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a new terminal: that of the keyboard and
// screen, and that of the program.
func openTerminal(t *testing.T) (keyboard, program *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	descriptor := int(keyboard.Fd())
	if err := unix.IoctlSetPointerInt(descriptor, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(descriptor, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return keyboard, program
}

func TestAPasswordIsNotEchoed(t *testing.T) {
	url, _ := runSite(t)
	keyboard, program := openTerminal(t)
	onScreen := &screen{grown: make(chan struct{}, 1)}
	go func() {
		buffer := make([]byte, 1024)
		for {
			n, err := keyboard.Read(buffer)
			if err != nil {
				return
			}
			_, _ = onScreen.Write(buffer[:n])
		}
	}()
	command := exec.CommandContext(t.Context(), built, "recipe", "try", "--dev", "--base-url", url, filepath.Join(root, "docs", "examples", "notes.yaml"))
	said := &screen{grown: make(chan struct{}, 1)}
	command.Stdin, command.Stdout, command.Stderr = program, said, said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, answer := range [][2]string{{"Username: ", "babbage"}, {"Password: ", "battery staple"}} {
		if at = said.await(answer[0], at); at < 0 {
			t.Fatalf("it does not ask for %q but says %s", answer[0], said.text())
		}
		if _, err := keyboard.WriteString(answer[1] + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := command.Wait(); err != nil {
		t.Errorf("%v\n%s", err, said.text())
	}
	if onScreen.await("babbage", 0) < 0 {
		t.Error("the username is not echoed: the screen is not looked at")
	}
	for where, text := range map[string]string{"the screen": onScreen.text(), "the output": said.text()} {
		if strings.Contains(text, "battery") || strings.Contains(text, "staple") {
			t.Errorf("%s shows the password", where)
		}
	}
	terminal, err := unix.IoctlGetTermios(int(program.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if terminal.Lflag&unix.ECHO == 0 {
		t.Error("the terminal stays without an echo")
	}
}
