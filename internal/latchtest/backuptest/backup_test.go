package backuptest

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/latchtest/scaletest"
)

func TestBackupsMadeUnderLoadAreWhole(t *testing.T) {
	for engine, database := range databases(t) {
		t.Run(engine, func(t *testing.T) {
			backups := scaletest.Of(5, 50)
			if engine == "PostgreSQL" { // to make a database takes longest there
				backups = scaletest.Of(2, 20)
			}
			h := newHost(t, database())
			h.start()
			working := h.work(4, 1)
			var files []string
			var before []int // how many links each backup must have
			for n := range backups {
				working.await(h, 2)
				before = append(before, working.count())
				files = append(files, filepath.Join(h.folder, fmt.Sprintf("%d.backup", n)))
				h.mustRun("backup", "--to", files[n])
			}
			h.kill()
			made := working.end()
			whole := 0
			for n, file := range files {
				if restoresWhole(h, file, made[:before[n]], database) {
					whole++
				}
			}
			fmt.Printf("RESULT V-9.%s %d %d\n", engine, whole, backups)
			if whole != backups {
				t.Errorf("%d of %d backups were whole", whole, backups)
			}
		})
	}
}

// databases make new databases of each engine.
func databases(t testing.TB) map[string]func() string {
	return map[string]func() string{
		"SQLite": func() string { return "" }, "PostgreSQL": func() string { return pgtest.New(t) },
	}
}

// restoresWhole restores a backup on a clean machine and walks on there.
func restoresWhole(h *host, file string, made []linked, database func() string) bool {
	h.Helper()
	clean := h.another(database())
	clean.mustRun("restore", "--from", file, "--revocations", h.data("revocations.log"))
	if clean.database == "" {
		checkIntegrity(h, clean.data("latchkey.db"))
	}
	clean.start()
	defer clean.kill()
	whole := true
	for _, link := range made {
		if status := clean.status("GET", "/v2/account/connections/"+link.connection); status != http.StatusOK {
			h.Errorf("%s of before the backup: %d", link.connection, status)
			whole = false
		}
	}
	if status := clean.uses(made[len(made)-1].connection); status != http.StatusOK {
		h.Errorf("a credential can't be used: %d", status)
		whole = false
	}
	return whole && clean.uses(clean.mustLink(1_000_000).connection) == http.StatusOK
}

// checkIntegrity asks SQLite itself.
func checkIntegrity(t testing.TB, path string) {
	t.Helper()
	database, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = database.Close() }()
	var sound string
	if err := database.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		t.Errorf("integrity check: %s, %v", sound, err)
	}
	rows, err := database.QueryContext(t.Context(), "PRAGMA foreign_key_check")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	if rows.Next() {
		t.Error("there are orphans")
	}
}

func TestADamagedBackupIsRefused(t *testing.T) {
	const damaged = 20
	h := newHost(t, "")
	h.start()
	for n := range 3 {
		h.mustLink(n)
	}
	file := filepath.Join(h.folder, "good.backup")
	h.mustRun("backup", "--to", file)
	h.kill()
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for n := range damaged {
		bad := bytes.Clone(good)
		switch at := rand.IntN(len(bad)); {
		case n%2 == 0:
			bad[at] ^= 1 << rand.IntN(8)
		case n%4 == 1:
			bad = bad[:at]
		default:
			bad = append(bad[:at], bad[min(len(bad), at+1+rand.IntN(100)):]...)
		}
		path := filepath.Join(h.folder, "bad.backup")
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		clean := h.another("")
		output, err := clean.run("restore", "--from", path, "--without-revocations")
		_, left := os.Stat(clean.data("latchkey.db"))
		if err != nil && os.IsNotExist(left) && strings.Contains(output, "latchkey: ") {
			refused++
		} else {
			t.Errorf("damage %d was not noticed: %s", n, output)
		}
	}
	fmt.Printf("RESULT V-9.corrupted-refused %d %d\n", refused, damaged)
}

func TestABackupWithoutItsKeyIsRefused(t *testing.T) {
	h, stranger := newHost(t, ""), newHost(t, "")
	for _, each := range []*host{h, stranger} {
		each.start()
		each.kill()
	}
	file := filepath.Join(h.folder, "good.backup")
	h.mustRun("backup", "--to", file)
	if err := os.Remove(stranger.data("latchkey.db")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"vault.key": "another key", "": "without which nothing"} {
		if name == "" {
			if err := os.Remove(stranger.data("vault.key")); err != nil {
				t.Fatal(err)
			}
			name = "none"
		}
		output, err := stranger.run("restore", "--from", file, "--without-revocations")
		if err == nil || !strings.Contains(output, want) && !strings.Contains(output, "without which nothing") {
			t.Errorf("with the key %s: %s", name, output)
		}
	}
	output, err := h.run("backup", "--to", file)
	if err == nil || !strings.Contains(output, "there already") {
		t.Errorf("a backup was written over another: %s", output)
	}
}
