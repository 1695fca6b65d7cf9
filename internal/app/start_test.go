package app_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/app"
	"latchkey/internal/latchtest/pgtest"
	"latchkey/internal/store"
)

// build makes an app with its data in a folder of the test's own, unless the
// configuration names one, and stops it with the test.
func build(t *testing.T, config app.Config) *app.App {
	t.Helper()
	if config.Data == "" {
		config.Data = filepath.Join(t.TempDir(), "data")
	}
	latch, err := app.New(t.Context(), config, app.Parts{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, latch) })
	return latch
}

func stop(t *testing.T, latch *app.App) {
	t.Helper()
	if err := latch.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// refused is the error of an app that must not start.
func refused(t *testing.T, config app.Config) string {
	t.Helper()
	if config.Data == "" {
		config.Data = filepath.Join(t.TempDir(), "data")
	}
	latch, err := app.New(t.Context(), config, app.Parts{})
	if err == nil {
		stop(t, latch)
		t.Fatal("it starts")
	}
	return err.Error()
}

func TestStart(t *testing.T) {
	t.Run("without any configuration it listens on loopback and keeps its data where it is", func(t *testing.T) {
		t.Chdir(t.TempDir())
		latch, err := app.New(t.Context(), app.Config{}, app.Parts{})
		if err != nil {
			t.Fatal(err)
		}
		defer stop(t, latch)
		if got := latch.Address(); got != "127.0.0.1:8080" {
			t.Errorf("address %s", got)
		}
		for _, name := range []string{"latchkey.db", "vault.key"} {
			info, err := os.Stat(filepath.Join("latchkey-data", name))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", name, info, err)
			}
		}
	})
	t.Run("the key may lie elsewhere", func(t *testing.T) {
		data, key := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "keys", "vault.key")
		build(t, app.Config{Data: data, KeyFile: key})
		if _, err := os.Stat(key); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(data, "vault.key")); !os.IsNotExist(err) {
			t.Errorf("there is a key in the data folder: %v", err)
		}
	})
	t.Run("the database's URL may lie in a file, with its line's end", func(t *testing.T) {
		url := pgtest.New(t)
		data := filepath.Join(t.TempDir(), "data")
		build(t, app.Config{Data: data, DatabaseURLFile: write(t, "url", url+"\n")})
		if _, err := os.Stat(filepath.Join(data, "latchkey.db")); !os.IsNotExist(err) {
			t.Errorf("there is an SQLite file: %v", err)
		}
	})
	t.Run("a second start on the same data takes the same key", func(t *testing.T) {
		data := filepath.Join(t.TempDir(), "data")
		first, err := app.New(t.Context(), app.Config{Data: data}, app.Parts{})
		if err != nil {
			t.Fatal(err)
		}
		stop(t, first)
		build(t, app.Config{Data: data})
	})
}

func TestRefusals(t *testing.T) {
	for _, base := range []string{
		"link.example.com", "ftp://link.example.com", "https://", "https://u:hunter2@link.example.com",
		"https://link.example.com?x=1", "https://link.example.com#x", "https://link example.com", "//link.example.com",
	} {
		for _, key := range []string{"api_url", "link_url"} {
			t.Run(key+" may not be "+base, func(t *testing.T) {
				config := app.Config{APIURL: base}
				if key == "link_url" {
					config = app.Config{LinkURL: base}
				}
				if got := refused(t, config); got != key+" must be like https://link.example.com" {
					t.Errorf("error %s", got)
				}
			})
		}
	}
	for name, test := range map[string]struct {
		config app.Config
		want   string
	}{
		"two database URLs":          {app.Config{DatabaseURL: "postgres://a/b", DatabaseURLFile: "x"}, "not both"},
		"a missing URL file":         {app.Config{DatabaseURLFile: "none"}, "database_url_file"},
		"another kind of database":   {app.Config{DatabaseURL: "mysql://u:hunter2@a/b"}, "must be empty (SQLite) or begin with postgres://"},
		"a malformed database URL":   {app.Config{DatabaseURL: "postgres://u:hunter2@a:port/b"}, "not a PostgreSQL connection URL"},
		"a database that is away":    {app.Config{DatabaseURL: "postgres://u:hunter2@127.0.0.1:1/b"}, "reach PostgreSQL"},
		"a recipe that is not there": {app.Config{Recipes: []string{"none.yaml"}}, "read recipe"},
	} {
		t.Run(name+" is refused, and no password is repeated", func(t *testing.T) {
			got := refused(t, test.config)
			if !strings.Contains(got, test.want) || strings.Contains(got, "hunter2") {
				t.Errorf("error %s", got)
			}
		})
	}
	t.Run("a recipe that is too large is refused", func(t *testing.T) {
		path := write(t, "large.yaml", strings.Repeat("#", 300<<10))
		if got := refused(t, app.Config{Recipes: []string{path}}); !strings.Contains(got, "larger than") {
			t.Errorf("error %s", got)
		}
	})
}

func TestTheTrial(t *testing.T) {
	start := func(t *testing.T, data string) (app.Trial, error) {
		latch, err := app.New(t.Context(), app.Config{Data: data, Development: true}, app.Parts{})
		if err != nil {
			t.Fatal(err)
		}
		defer stop(t, latch)
		return latch.Trial(t.Context())
	}
	made := func(t *testing.T) (string, app.Trial) {
		data := filepath.Join(t.TempDir(), "data")
		trial, err := start(t, data)
		if err != nil {
			t.Fatal(err)
		}
		return data, trial
	}
	t.Run("later starts have the same key and apps", func(t *testing.T) {
		data, first := made(t)
		second, err := start(t, data)
		if err != nil || second.APIKey != first.APIKey || second.ClientApps[latchkey.AppEmbed] != first.ClientApps[latchkey.AppEmbed] {
			t.Errorf("another sandbox, %v", err)
		}
	})
	t.Run("a damaged file is named", func(t *testing.T) {
		data, _ := made(t)
		replace(t, filepath.Join(data, "dev.json"), []byte(`{"organisationId":"org`))
		if _, err := start(t, data); err == nil || !strings.Contains(err.Error(), "dev.json is damaged") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("the file of another database is named, without its key", func(t *testing.T) {
		data, _ := made(t)
		other, trial := made(t)
		text, err := os.ReadFile(filepath.Join(other, "dev.json"))
		if err != nil {
			t.Fatal(err)
		}
		replace(t, filepath.Join(data, "dev.json"), text)
		_, err = start(t, data)
		if err == nil || !strings.Contains(err.Error(), "does not belong to this database; remove the folder "+data) {
			t.Fatalf("error %v", err)
		}
		if strings.Contains(err.Error(), trial.APIKey) {
			t.Error("the error holds the key")
		}
	})
	t.Run("a client app that was deleted is made again, and a revoked key is named", func(t *testing.T) {
		data, trial := made(t)
		record := latchkey.AuditRecord{OrganisationID: trial.OrganisationID, Detail: "{}"}
		change := func(how func(kept *store.Store) error) {
			t.Helper()
			latch, err := app.New(t.Context(), app.Config{Data: data}, app.Parts{})
			if err != nil {
				t.Fatal(err)
			}
			defer stop(t, latch)
			if err := how(latch.Store()); err != nil {
				t.Fatal(err)
			}
		}
		change(func(kept *store.Store) error {
			return kept.DeleteClientApp(t.Context(), trial.OrganisationID, latchkey.Sandbox, trial.ClientApps[latchkey.AppEmbed], record)
		})
		if _, err := start(t, data); err != nil {
			t.Fatal(err)
		}
		change(func(kept *store.Store) error {
			app, err := kept.ClientApp(t.Context(), trial.OrganisationID, latchkey.Sandbox, trial.ClientApps[latchkey.AppEmbed])
			if err != nil || app.Type != latchkey.AppEmbed {
				t.Errorf("it is %+v, %v", app, err)
			}
			key, _, err := kept.APIKeyByHash(t.Context(), latchkey.HashSecret(trial.APIKey))
			return errors.Join(err, kept.RevokeAPIKey(t.Context(), key.OrganisationID, latchkey.Sandbox, key.ID, key.CreatedAt, record))
		})
		if _, err := start(t, data); err == nil || !strings.Contains(err.Error(), "has been revoked; remove the folder") {
			t.Errorf("error %v", err)
		}
	})
	t.Run("an empty object is damaged too", func(t *testing.T) {
		data, _ := made(t)
		replace(t, filepath.Join(data, "dev.json"), []byte(`{}`))
		if _, err := start(t, data); err == nil || !strings.Contains(err.Error(), "dev.json is damaged") {
			t.Errorf("error %v", err)
		}
	})
}

func replace(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, fs.FileMode(0o600)); err != nil {
		t.Fatal(err)
	}
}
