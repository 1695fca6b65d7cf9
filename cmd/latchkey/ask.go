package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"latchkey"
	"latchkey/internal/app"
)

// resendWord is what is typed in the place of a code to have another one sent.
const resendWord = "resend"

// asker asks a person in the terminal, or reads a line of the standard input
// for each answer.
type asker struct {
	terminal *terminal
	lines    *bufio.Reader
}

func newAsker(terminal *terminal) *asker {
	return &asker{terminal: terminal, lines: bufio.NewReader(terminal.in)}
}

// ask shows a question and takes what is typed. A password is not echoed.
func (a *asker) ask(ctx context.Context, question app.RecipeQuestion) (app.RecipeAnswer, error) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(a.terminal.err, format, args...) }
	say("\n")
	if question.Refused != "" {
		say("refused: %s\n", question.Refused)
	}
	prompt := question.Prompt
	if prompt.Message != "" {
		say("%s\n", printable(prompt.Message))
	}
	answer := app.RecipeAnswer{Fields: map[string]latchkey.Secret{}}
	if len(prompt.Methods) > 0 {
		chosen, err := a.line(ctx, "one of "+strings.Join(prompt.Methods, ", "), false)
		answer.Method = string(chosen)
		return answer, err
	}
	for _, field := range prompt.Fields {
		hint := ""
		switch {
		case field.Type == latchkey.FieldCheckbox:
			hint = " (y or n)"
		case field.Type == latchkey.FieldCode && prompt.CanResend:
			hint = " (or " + strconv.Quote(resendWord) + ")"
		}
		typed, err := a.line(ctx, printable(field.Label)+hint, field.Type == latchkey.FieldPassword)
		if err != nil {
			return answer, err
		}
		switch {
		case field.Type == latchkey.FieldCheckbox && strings.HasPrefix(strings.ToLower(string(typed)), "y"):
			answer.Fields[field.Name] = latchkey.NewSecret([]byte("true"))
		case field.Type == latchkey.FieldCheckbox:
		case field.Type == latchkey.FieldCode && prompt.CanResend && string(typed) == resendWord:
			return app.RecipeAnswer{Action: latchkey.ActionResend}, nil
		default:
			answer.Fields[field.Name] = latchkey.NewSecret(typed)
		}
	}
	return answer, nil
}

// line asks for a line and reads it, until the context ends. Who types early
// is not echoed either: what hides comes before the question.
func (a *asker) line(ctx context.Context, label string, hidden bool) ([]byte, error) {
	if hidden && isTerminal(a.terminal.in) {
		if err := echo(a.terminal.in, false); err != nil {
			return nil, err
		}
		defer func() {
			_ = echo(a.terminal.in, true)
			_, _ = fmt.Fprintln(a.terminal.err)
		}()
	}
	_, _ = fmt.Fprintf(a.terminal.err, "%s: ", label)
	type read struct {
		line []byte
		err  error
	}
	came := make(chan read, 1)
	go func() {
		line, err := a.lines.ReadBytes('\n')
		came <- read{line, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case got := <-came:
		if errors.Is(got.err, io.EOF) && len(got.line) == 0 {
			return nil, errors.New("no more input: a question is not answered")
		}
		if got.err != nil && !errors.Is(got.err, io.EOF) {
			return nil, fmt.Errorf("read the answer: %w", got.err)
		}
		return []byte(strings.TrimRight(string(got.line), "\r\n")), nil
	}
}

// isTerminal reports whether somebody types into the file.
func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// echo has the terminal show what is typed, or not. Where that can't be had
// (POSIX stty is not there) nothing secret is asked.
func echo(file *os.File, on bool) error {
	mode := "-echo"
	if on {
		mode = "echo"
	}
	command := exec.Command("stty", mode)
	command.Stdin = file
	if err := command.Run(); err != nil {
		return fmt.Errorf("the terminal can't hide what is typed: %w", err)
	}
	return nil
}
