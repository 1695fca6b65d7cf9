package tape

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Fixture is a recorded login: what was submitted, in its order, what went to
// and fro, and who was linked. It is written scrubbed.
type Fixture struct {
	At        time.Time // when it was; replayed, the cookies live as they did then
	Answers   []Answer
	Exchanges []Exchange
	User      User
}

// Answer is what was submitted to one question.
type Answer struct {
	Action string            `json:"action"`
	Method string            `json:"method,omitzero"`
	Fields map[string]string `json:"fields,omitzero"`
}

// User is who was linked.
type User struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Username string `json:"username"`
	Avatar   string `json:"avatar,omitzero"`
}

// story is the part of a fixture that is no exchange.
type story struct {
	At      time.Time `json:"at"`
	Answers []Answer  `json:"answers"`
	User    User      `json:"user"`
}

// The files of a fixture, and bounds of what is read back.
const (
	storyFile    = "login.json"
	maxFile      = 2 << 20
	maxExchanges = 200
)

// volatile are headers that say nothing about a login and differ each time.
var volatile = []string{"Date", "Age", "Server", "Connection", "Keep-Alive", "Content-Length", "Transfer-Encoding", "User-Agent"}

// Save writes a scrubbed fixture into a new folder and then hunts there for
// the secrets. When one is found the folder is removed, and the error says in
// which file it was.
func Save(folder string, fixture Fixture, scrubber *Scrubber) error {
	if err := os.Mkdir(folder, 0o750); err != nil {
		return fmt.Errorf("make the folder of the recording: %w", err)
	}
	err := write(folder, fixture.scrubbed(scrubber))
	if err == nil {
		err = Hunt(folder, scrubber.Known())
	}
	if err != nil {
		return errors.Join(err, Remove(folder))
	}
	return nil
}

// Remove removes a recording.
func Remove(folder string) error { return os.RemoveAll(folder) }

// scrubbed returns the fixture without the secrets.
func (f Fixture) scrubbed(scrubber *Scrubber) Fixture {
	clean := Fixture{At: f.At.UTC().Truncate(time.Second), User: User{
		ID: scrubber.Text(f.User.ID), Name: scrubber.Text(f.User.Name),
		Username: scrubber.Text(f.User.Username), Avatar: scrubber.Text(f.User.Avatar),
	}}
	for _, answer := range f.Answers {
		var fields map[string]string
		for name, value := range answer.Fields {
			if fields == nil {
				fields = map[string]string{}
			}
			fields[name] = scrubber.Text(value)
		}
		answer.Fields = fields
		clean.Answers = append(clean.Answers, answer)
	}
	for _, seen := range f.Exchanges {
		seen = scrubber.Exchange(seen)
		for _, name := range volatile {
			seen.RequestHeader.Del(name)
			seen.Header.Del(name)
		}
		clean.Exchanges = append(clean.Exchanges, seen)
	}
	return clean
}

// write writes the files.
func write(folder string, fixture Fixture) error {
	told, err := json.Marshal(story{At: fixture.At, Answers: fixture.Answers, User: fixture.User},
		json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return fmt.Errorf("encode the recording: %w", err)
	}
	files := map[string][]byte{storyFile: append(told, '\n')}
	for i, seen := range fixture.Exchanges {
		files[fmt.Sprintf("%02d.request.http", i+1)] = message(seen.Method+" "+seen.URL, seen.RequestHeader, seen.RequestBody)
		files[fmt.Sprintf("%02d.response.http", i+1)] =
			message(fmt.Sprintf("%d %s", seen.Status, http.StatusText(seen.Status)), seen.Header, seen.Body)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return fmt.Errorf("write the recording: %w", err)
		}
	}
	return nil
}

// message writes one side of an exchange: a first line, the headers, an empty
// line, the body.
func message(first string, header http.Header, body []byte) []byte {
	var b bytes.Buffer
	b.WriteString(first + "\n")
	var lines []string
	for name, values := range header {
		for _, value := range values {
			lines = append(lines, name+": "+value+"\n")
		}
	}
	slices.Sort(lines)
	b.WriteString(strings.Join(lines, "") + "\n")
	b.Write(body)
	return b.Bytes()
}

// ErrLeak is wrapped when a recording holds a secret.
var ErrLeak = errors.New("a secret is left in the recording")

// Hunt looks for secrets in every file of a folder, in their names and in
// clear or in any usual encoding. The error names the file, never the secret.
func Hunt(folder string, secrets []string) error {
	var pieces []string
	for _, secret := range secrets {
		if len(secret) >= Shortest {
			pieces = append(pieces, traces(secret)...)
		}
	}
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("hunt for secrets: %w", err)
		}
		for _, piece := range pieces {
			if len(piece) >= Shortest && (bytes.Contains(content, []byte(piece)) || strings.Contains(entry.Name(), piece)) {
				return fmt.Errorf("%w: %s", ErrLeak, entry.Name())
			}
		}
		return nil
	})
}
