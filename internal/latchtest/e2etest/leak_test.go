package e2etest

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/leaktest"
)

// leaksNothing searches all that is left behind for every secret of the scene,
// in the forms that programs write them.
func (s *scene) leaksNothing(link latchtest.Link) {
	s.Helper()
	secrets := &leaktest.Secrets{}
	for kind, secret := range map[string]string{
		"password": password, "TOTP secret": s.totp, "client secret": link.Secret(), "API key": s.Trial.APIKey,
		"webhook secret": strings.TrimPrefix(s.webhookSecret, "whsec_"),
	} {
		secrets.Add(kind, secret)
	}
	cookies := s.witness.values()
	for _, cookie := range cookies {
		secrets.Add("session cookie", cookie)
	}
	for _, code := range s.codes {
		secrets.Add("code", code)
	}
	if len(cookies) == 0 {
		s.Error("the site has handed out no cookie to search for")
	}
	remains := s.remains()
	s.searchIsWorthIt(remains, link)
	hits := 0
	for place, content := range remains {
		for _, finding := range secrets.Find(content) {
			hits++
			s.Errorf("in %s stands a secret: %s", place, finding)
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
