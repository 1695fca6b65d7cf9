package app_test

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/internal/app"
	"latchkey/internal/store"
	"latchkey/internal/vault/seal"
)

// quiet is a log that nobody reads.
var quiet = slog.New(slog.DiscardHandler)

// keyState is a state of the key in which nothing may start.
type keyState struct {
	says  string // what the refusal has in it
	spoil func(t *testing.T, path string)
}

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rewrite puts another text into the key file.
func rewrite(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, change(text), 0o600))
}

// keyStates are the ways in which a key is wrong. The old key file is that from
// before the last rotation.
func keyStates(old []byte) map[string]keyState {
	return map[string]keyState{
		"of another database": {"does not belong to this database", func(t *testing.T, path string) {
			must(t, os.Remove(path))
			_, err := seal.CreateFile(path, nil)
			must(t, err)
		}},
		"missing": {"is missing", func(t *testing.T, path string) { must(t, os.Remove(path)) }},
		"readable by others": {"others may read or write it (mode 0644)", func(t *testing.T, path string) {
			must(t, os.Chmod(path, 0o644))
		}},
		"writable by the group": {"others may read or write it (mode 0620)", func(t *testing.T, path string) {
			must(t, os.Chmod(path, 0o620))
		}},
		"from before the rotation": {"does not belong to this database", func(t *testing.T, path string) {
			rewrite(t, path, func([]byte) []byte { return old })
		}},
		"cut off": {"cut off or changed", func(t *testing.T, path string) {
			rewrite(t, path, func(text []byte) []byte { return text[:len(text)/2] })
		}},
		"a symbolic link": {"symbolic link", func(t *testing.T, path string) {
			must(t, os.Rename(path, path+".real"))
			must(t, os.Symlink(path+".real", path))
		}},
		"somebody else's": {"owned by somebody else", func(t *testing.T, path string) { must(t, os.Chown(path, 12345, -1)) }},
		"in the environment, by its name": {"in the environment (LATCHKEY_KEY)", func(t *testing.T, _ string) {
			t.Setenv("LATCHKEY_KEY", "anything")
		}},
		"in the environment, by its text": {"in the environment (SECRET_OF_MINE)", func(t *testing.T, path string) {
			text, err := os.ReadFile(path)
			must(t, err)
			t.Setenv("SECRET_OF_MINE", string(text))
		}},
		"in the environment, in base64": {"in the environment (SECRET_OF_MINE)", func(t *testing.T, path string) {
			text, err := os.ReadFile(path)
			must(t, err)
			t.Setenv("SECRET_OF_MINE", base64.StdEncoding.EncodeToString(text))
		}},
	}
}

func TestNothingStartsWithAWrongKey(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	latch, err := app.New(t.Context(), app.Config{Data: data}, app.Parts{})
	must(t, err)
	stop(t, latch)
	path := filepath.Join(data, "vault.key")
	old, err := os.ReadFile(path)
	must(t, err)
	room, err := app.OpenKeyRoom(t.Context(), app.Config{Data: data}, quiet)
	must(t, err)
	must(t, room.Rotate(t.Context(), false)) // half a rotation: the old key is still needed
	must(t, room.Close())
	good, err := os.ReadFile(path)
	must(t, err)
	before := contents(t, data)
	refusals := 0
	states := keyStates(old)
	for name, state := range states {
		t.Run(name, func(t *testing.T) {
			state.spoil(t, path)
			text := refused(t, app.Config{Data: data})
			if !strings.Contains(text, state.says) || strings.Contains(text, "keyring-v1") {
				t.Errorf("it says %s", text)
				return
			}
			refusals++
		})
		_ = os.Remove(path)
		_ = os.Remove(path + ".real")
		must(t, os.WriteFile(path, good, 0o600))
	}
	fmt.Printf("RESULT V-4 %d of %d %d\n", refusals, len(states), len(states))
	if after := contents(t, data); after != before {
		t.Error("a start that was refused has touched rows")
	}
	latch, err = app.New(t.Context(), app.Config{Data: data}, app.Parts{})
	must(t, err)
	stop(t, latch)
}

// contents is what the database says of its keys and secrets.
func contents(t *testing.T, data string) string {
	t.Helper()
	kept, err := store.Open(t.Context(), store.Config{Path: filepath.Join(data, "latchkey.db")})
	must(t, err)
	defer func() { _ = kept.Close() }()
	proof, err := kept.VaultProof(t.Context())
	must(t, err)
	fingerprint, err := kept.FingerprintKey(t.Context())
	must(t, err)
	keys, err := kept.RingKeys(t.Context())
	must(t, err)
	return fmt.Sprintf("%x %x %v", proof, fingerprint, keys)
}

// A file from half a rotation: it has the new key alone, and what the old one
// wrapped can't be opened.
func TestAKeyFileThatLostTheOldKeyTooEarlyIsRefused(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	latch, err := app.New(t.Context(), app.Config{Data: data}, app.Parts{})
	must(t, err)
	stop(t, latch)
	room, err := app.OpenKeyRoom(t.Context(), app.Config{Data: data}, quiet)
	must(t, err)
	must(t, room.Rotate(t.Context(), false))
	must(t, room.Close())
	ring, err := seal.OpenFile(filepath.Join(data, "vault.key"))
	must(t, err)
	must(t, ring.Drop(ring.KeyIDs()[0]))
	if text := refused(t, app.Config{Data: data}); !strings.Contains(text, "cut in half") {
		t.Errorf("it says %s", text)
	}
}

func TestKeysOfWhatWasNeverSetUpAreNotMade(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if _, err := app.OpenKeyRoom(t.Context(), app.Config{Data: data}, quiet); err == nil || !strings.Contains(err.Error(), "latchkey setup") {
		t.Errorf("it says %v", err)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("a folder was made")
	}
}
