package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest/scaletest"
)

// tenants are whose rows must never be mixed up.
var tenants = []string{"org_1", "org_2", "org_3"}

// crashed makes a database in use with connections of every tenant, and returns
// the files as a power cut would leave them, before and after the log was copied
// into the file, and as a clean stop does.
func crashed(t *testing.T) (power, copied, stopped map[string][]byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "latchkey.db")
	opened, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range tenants {
		err := opened.CreateOrganisation(t.Context(), latchkey.Organisation{ID: tenant, Name: "of " + tenant}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 40 {
			err := opened.WriteConnection(t.Context(), latchkey.Connection{
				ID: fmt.Sprintf("conn_%s_%d", tenant, n), OrganisationID: tenant, Environment: latchkey.Live, Provider: "acme", Version: 1,
				User: latchkey.UserData{ID: fmt.Sprint(n), Name: "person of " + tenant}, Status: latchkey.ConnectionActive,
			}, latchkey.SealedCredential{Bytes: []byte("sealed")}, latchkey.Consequences{})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	power = contents(t, path)
	var busy, frames, back int
	beside, err := openPlain(Config{Path: path}, "mode=rwc")
	if err != nil {
		t.Fatal(err)
	}
	err = beside.QueryRowContext(t.Context(), `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &frames, &back)
	_ = beside.Close()
	if err != nil || back != frames {
		t.Fatalf("%d of %d frames were copied, %v", back, frames, err)
	}
	copied = contents(t, path)
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	return power, copied, contents(t, path)
}

func contents(t *testing.T, path string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, suffix := range []string{"", "-wal", "-shm", sumSuffix, markSuffix} {
		if text, err := os.ReadFile(path + suffix); err == nil {
			files[suffix] = text
		}
	}
	return files
}

// laid writes the files to a new folder, the database with the time of its last
// change: a disk that forgets a bit tells nobody.
func laid(t *testing.T, files map[string][]byte, changed int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "latchkey.db")
	for suffix, text := range files {
		if err := os.WriteFile(path+suffix, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(path, time.Now(), time.Unix(0, changed)); err != nil {
		t.Fatal(err)
	}
	return path
}

// verdict opens a database and reads all of it: what is wrong is noticed, or all
// rows are as they were, or fewer or other ones come without a word.
func verdict(t *testing.T, path string, want string, mixed *int) string {
	t.Helper()
	switch got := rowsOf(t, path, mixed); got {
	case "":
		return "noticed"
	case want:
		return "whole"
	}
	return "missed"
}

// rowsOf reads every connection of every tenant, "" when that fails.
func rowsOf(t *testing.T, path string, mixed *int) string {
	t.Helper()
	opened, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		return ""
	}
	defer func() { _ = opened.Close() }()
	text := ""
	for _, tenant := range tenants {
		list, _, err := opened.Connections(t.Context(), latchkey.ConnectionFilter{
			OrganisationID: tenant, Environment: latchkey.Live, Limit: 1000,
		})
		if err != nil {
			return ""
		}
		text += fmt.Sprintf("%+v\n", list)
		for _, connection := range list {
			for _, other := range tenants {
				if other != tenant && connection.User.Name == "person of "+other {
					*mixed++
					t.Errorf("%s is served what is of %s", tenant, other)
				}
			}
		}
	}
	return text
}

func TestADamagedDatabaseIsNoticed(t *testing.T) {
	times := scaletest.Of(40, 400)
	power, copied, stopped := crashed(t)
	mixed := 0
	want := rowsOf(t, laid(t, stopped, 0), &mixed)
	changed := map[bool]int64{} // of the file, by whether it was stopped
	var at, size int64
	if _, err := fmt.Sscan(string(stopped[sumSuffix]), &size, &at); err != nil {
		t.Fatal(err)
	}
	changed[true] = at
	var mark logMark
	if _, err := fmt.Sscan(string(power[markSuffix]), &mark.salt1, &mark.salt2, &mark.frames, &size, &at); err != nil {
		t.Fatal(err)
	}
	changed[false] = at
	flip := func(text []byte) []byte {
		text = append([]byte{}, text...)
		for range 1 + rand.IntN(4) {
			text[rand.IntN(len(text))] ^= byte(1 + rand.IntN(255))
		}
		return text
	}
	cut := func(text []byte) []byte { return text[:rand.IntN(len(text))] }
	for _, c := range []struct {
		name    string
		files   map[string][]byte
		suffix  string
		damage  func([]byte) []byte
		promise bool // that every damage is noticed
	}{
		{"stopped.bytes", stopped, "", flip, true},
		{"stopped.cut", stopped, "", cut, true},
		{"killed.bytes", power, "", flip, false},
		{"killed.log-bytes", power, "-wal", flip, true},
		{"killed.log-cut", power, "-wal", cut, true},
		{"killed.log-gone", power, "-wal", func([]byte) []byte { return nil }, true},
		{"killed.copied-bytes", copied, "", flip, false}, // text that no index has is not checked
		{"killed.no-shm", power, "-shm", func([]byte) []byte { return nil }, false},
	} {
		counts := map[string]int{}
		for range times {
			files := map[string][]byte{}
			for suffix, text := range c.files {
				files[suffix] = text
			}
			if files[c.suffix] = c.damage(files[c.suffix]); files[c.suffix] == nil {
				delete(files, c.suffix)
			}
			at := changed[c.files[sumSuffix] != nil]
			if len(c.files["-wal"]) == 0 && c.files[sumSuffix] == nil {
				at++ // the log was copied into the file after the mark
			}
			counts[verdict(t, laid(t, files, at), want, &mixed)]++
		}
		fmt.Printf("RESULT D-11.%s %d %d\n", c.name, counts["noticed"]+counts["whole"], times)
		if c.promise && counts["noticed"]+counts["whole"] != times {
			t.Errorf("%s: %v", c.name, counts)
		}
		if c.suffix == "-shm" && counts["whole"] != times {
			t.Errorf("%s: %v", c.name, counts)
		}
	}
	fmt.Printf("RESULT D-11.another-tenants %d 0\n", mixed)
}
