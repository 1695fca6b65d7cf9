package link_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
)

// database returns all bytes of the database: of the files, or a dump.
func database(s *latchtest.Server) []byte {
	s.Helper()
	if s.DatabaseURL != "" {
		dump, err := exec.CommandContext(s.Context(), "pg_dump", "--inserts", s.DatabaseURL).Output()
		if err != nil {
			s.Fatalf("pg_dump: %v", err)
		}
		return dump
	}
	var all []byte
	for _, name := range []string{"latchkey.db", "latchkey.db-wal"} {
		content, err := os.ReadFile(filepath.Join(s.Data, name))
		if err != nil {
			s.Fatal(err)
		}
		all = append(all, content...)
	}
	return all
}

// written are the ways in which a secret may stand in a database: as it is, of
// two bytes a letter, in hexadecimal, in base64 behind up to two other bytes.
func written(secret string) [][]byte {
	var wide []byte
	for _, c := range []byte(secret) {
		wide = append(wide, c, 0)
	}
	forms := [][]byte{[]byte(secret), wide, []byte(hex.EncodeToString([]byte(secret)))}
	for before, skip := range []int{0, 2, 3} { // letters that also tell of the other bytes
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, before), secret...))
		forms = append(forms, []byte(encoded[skip:len(encoded)-1]))
	}
	return forms
}

// stands counts the secrets that stand in the database, in any form.
func stands(s *latchtest.Server, secrets map[string]string) int {
	s.Helper()
	content, found := database(s), 0
	for name, secret := range secrets {
		for _, form := range written(secret) {
			if bytes.Contains(content, form) {
				found++
				s.Errorf("the %s stands in the database", name)
			}
		}
	}
	return found
}

func TestTheDatabaseHoldsOnlyTheHashOfASecret(t *testing.T) {
	found, searched := 0, 0
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		f := newFleet(t, options, 1)
		begun := f.linkOf(f.must(http.StatusOK, f.init(latchkey.AppWhitelabel, "begun"))) // with an idempotency key
		code, session := f.held("held")
		const letters = 43 // of a secret, at the end of each of these
		secrets := map[string]string{}
		for name, text := range map[string]string{
			"client secret": begun.ClientSecret, "API key": f.Trial.APIKey, "code": code,
		} {
			if hash := latchkey.HashSecret(text); !bytes.Contains(database(f.Server), []byte(hash)) {
				t.Errorf("the hash of the %s is not in the database", name)
			}
			secrets[name] = text[len(text)-letters:]
		}
		found, searched = found+stands(f.Server, secrets), searched+len(secrets)
		f.must(http.StatusOK, post("/v2/link/confirm", map[string]string{"code": code, "clientReferenceId": "held"}))
		found, searched = found+stands(f.Server, secrets), searched+len(secrets)
		if f.stored(session).State != latchkey.StateCompleted {
			t.Error("the link was not confirmed")
		}
	})
	fmt.Printf("RESULT S-6.stored %d 0\n", found)
	fmt.Printf("RESULT S-6.stored.n %d 12\n", searched)
}

func TestAPlantedSecretIsFound(t *testing.T) {
	const secret = "8fT0qWz4bN7xYk2LmVc9RjH5sDg1PaE6uIo3ZtXvBnM"
	for _, before := range []string{"", "a", "ab", "abc"} {
		whole := []byte(before + secret + " and after")
		for form, content := range map[string][]byte{
			"as it is": whole, "in hexadecimal": []byte(hex.EncodeToString(whole)),
			"in base64": []byte(base64.StdEncoding.EncodeToString(whole)), "in base64 URL": []byte(base64.RawURLEncoding.EncodeToString(whole)),
		} {
			hits := 0
			for _, form := range written(secret) {
				if bytes.Contains(content, form) {
					hits++
				}
			}
			if hits == 0 {
				t.Errorf("%s, %d bytes before it: not found", form, len(before))
			}
		}
	}
}
