package e2etest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"latchkey/internal/latchtest"
)

// leaksNothing searches all that is left behind for every secret of the scene,
// in the forms that programs write them.
func (s *scene) leaksNothing(link latchtest.Link) {
	s.Helper()
	secrets := map[string]string{
		"password": password, "TOTP secret": s.totp, "client secret": link.Secret(), "API key": s.Trial.APIKey,
		"webhook secret": strings.TrimPrefix(s.webhookSecret, "whsec_"),
	}
	for i, cookie := range s.witness.values() {
		secrets[fmt.Sprintf("session cookie %d", i)] = cookie
	}
	if len(secrets) < 6 {
		s.Error("the site has handed out no cookie to search for")
	}
	remains := s.remains()
	s.searchIsWorthIt(remains, link)
	hits := 0
	for place, content := range remains {
		for _, code := range s.codes {
			if containsNumber(content, code) {
				hits++
				s.Errorf("a code stands in %s", place)
			}
		}
		for name, secret := range secrets {
			for _, form := range forms(secret) {
				if bytes.Contains(content, form) {
					hits++
					s.Errorf("the %s stands in %s", name, place)
				}
			}
		}
	}
	fmt.Printf("RESULT V-5.link %d 0\n", hits)
}

// searchIsWorthIt looks in the same way for what must be there, so that
// finding nothing means that there is nothing.
func (s *scene) searchIsWorthIt(remains map[string][]byte, link latchtest.Link) {
	s.Helper()
	if len(s.codes) == 0 {
		s.Error("no code was sent")
	}
	places := map[string]int{}
	for place, content := range remains {
		if bytes.Contains(content, []byte(link.SessionID)) {
			places["session"]++
		}
		if bytes.Contains(content, []byte("ada@example.org")) || bytes.Contains(content, []byte("Ada Lovelace")) {
			places["profile"]++
		}
		if place == "the log" && !bytes.Contains(content, []byte(`"msg":"request"`)) {
			s.Error("the log has no requests")
		}
	}
	if places["session"] < 2 || places["profile"] < 2 {
		s.Errorf("the session stands in %d places, the profile in %d, want the log, the database, the webhooks",
			places["session"], places["profile"])
	}
}

// containsNumber reports whether the number stands there by itself: six digits
// within a longer number, as a time is, say nothing.
func containsNumber(content []byte, number string) bool {
	digit := func(at int) bool {
		return at >= 0 && at < len(content) && (content[at] >= '0' && content[at] <= '9' || content[at] == '.')
	}
	for from := 0; ; {
		at := bytes.Index(content[from:], []byte(number))
		if at < 0 {
			return false
		}
		at += from
		if !digit(at-1) && !digit(at+len(number)) {
			return true
		}
		from = at + 1
	}
}

// forms are the ways in which a secret may be written.
func forms(secret string) [][]byte {
	var utf16 []byte
	for _, c := range []byte(secret) {
		utf16 = append(utf16, c, 0)
	}
	quoted := strings.Trim(fmt.Sprintf("%q", secret), `"`)
	written := [][]byte{
		[]byte(secret), []byte(quoted), []byte(strings.ReplaceAll(quoted, "&", `\u0026`)),
		[]byte(url.QueryEscape(secret)), []byte(url.PathEscape(secret)), utf16,
		[]byte(hex.EncodeToString([]byte(secret))), []byte(strings.ToUpper(hex.EncodeToString([]byte(secret)))),
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 { // bytes of something else within the first group of three
			encoded := encoding.EncodeToString(append(make([]byte, before), secret...))
			skip := []int{0, 2, 3}[before] // characters that also tell of those
			written = append(written, []byte(encoded[skip:len(encoded)-1]))
		}
	}
	return written
}

// remains are the log, the webhook bodies and the database, whole. The trial's
// own file holds the sandbox key by design and is left out.
func (s *scene) remains() map[string][]byte {
	s.Helper()
	places := map[string][]byte{"the log": []byte(s.Log.Text())}
	for i, hook := range s.sink.Hooks() {
		places[fmt.Sprintf("webhook %d", i)] = hook.Body
	}
	err := filepath.WalkDir(s.Data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "dev.json" {
			return err
		}
		content, err := os.ReadFile(path)
		places[entry.Name()] = content
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	if s.DatabaseURL != "" {
		dump, err := exec.CommandContext(s.Context(), "pg_dump", "--inserts", s.DatabaseURL).Output()
		if err != nil {
			s.Fatalf("pg_dump: %v", err)
		}
		places["the PostgreSQL dump"] = dump
	}
	return places
}
