package backuptest

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"latchkey/internal/store/migrations"
)

// Every command of these tests runs under the umask 000.
func TestNobodyElseMayReadWhatIsKept(t *testing.T) {
	h := newHost(t, "")
	looked, wide := 0, 0
	look := func(paths ...string) {
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			looked++
			if info.Mode().Perm()&0o077 != 0 {
				wide++
				t.Errorf("%s has mode %v", path, info.Mode())
			}
		}
	}
	h.start() // a fresh install
	h.mustLink(1)
	look(h.data(""), h.data("latchkey.db"), h.data("latchkey.db-wal"), h.data("latchkey.db-shm"), h.data("latchkey.db.mark"), h.data("vault.key"),
		h.data("revocations.log"), h.data("dev.json"))
	file := filepath.Join(h.folder, "one.backup")
	h.mustRun("backup", "--to", file)
	look(file)
	h.stop()
	look(h.data("latchkey.db.sum"))

	clean := h.another("") // a restore
	clean.mustRun("restore", "--from", file, "--revocations", h.data("revocations.log"))
	look(clean.data("latchkey.db"), clean.data("revocations.log"))
	clean.start()
	look(clean.data(""), clean.data("latchkey.db"), clean.data("latchkey.db-wal"))
	clean.kill()

	upgraded := newHost(t, "") // an upgrade
	if err := os.Mkdir(upgraded.data(""), 0o700); err != nil {
		t.Fatal(err)
	}
	makeOld(t, upgraded.data("latchkey.db"))
	upgraded.start()
	upgraded.mustLink(1)
	look(upgraded.data("latchkey.db"), upgraded.data("latchkey.db-wal"), upgraded.data("vault.key"))
	fmt.Printf("RESULT V-8 %d 0\n", wide)
	fmt.Printf("RESULT V-8.n %d %d\n", looked, looked)
}

// makeOld makes a database of an earlier schema.
func makeOld(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	scripts, err := fs.Sub(migrations.SQLite, "sqlite")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, scripts, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
}
