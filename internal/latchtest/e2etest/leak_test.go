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
	hits, searched := 0, 0
	for place, content := range s.remains() {
		searched += len(content)
		for name, secret := range secrets {
			for _, form := range forms(secret) {
				if bytes.Contains(content, form) {
					hits++
					s.Errorf("the %s stands in %s", name, place)
				}
			}
		}
	}
	if searched < 10_000 {
		s.Errorf("only %d bytes were searched", searched)
	}
	fmt.Printf("RESULT V-5.link %d 0\n", hits)
}

// forms are the ways in which a secret may be written.
func forms(secret string) [][]byte {
	var utf16 []byte
	for _, c := range []byte(secret) {
		utf16 = append(utf16, c, 0)
	}
	quoted := strings.Trim(fmt.Sprintf("%q", secret), `"`)
	return [][]byte{
		[]byte(secret), []byte(quoted), []byte(url.QueryEscape(secret)), []byte(url.PathEscape(secret)), utf16,
		[]byte(hex.EncodeToString([]byte(secret))), []byte(strings.ToUpper(hex.EncodeToString([]byte(secret)))),
		[]byte(base64.RawStdEncoding.EncodeToString([]byte(secret))),
		[]byte(base64.RawURLEncoding.EncodeToString([]byte(secret))),
	}
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
