package pgtest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"latchkey/internal/latchtest/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// migrations counts how often the template was migrated.
var migrations int

var migrated = pgtest.Template("pgtest", func(url string) error {
	migrations++
	connection, err := pgx.Connect(context.Background(), url)
	if err != nil {
		return err
	}
	_, err = connection.Exec(context.Background(), `CREATE TABLE fact (n BIGINT PRIMARY KEY)`)
	return errors.Join(err, connection.Close(context.Background()))
})

func TestNew(t *testing.T) {
	t.Run("two databases do not see each other", func(t *testing.T) {
		first, second := pgtest.New(t), pgtest.New(t)
		execute(t, first, `CREATE TABLE fact (n BIGINT)`)
		execute(t, second, `CREATE TABLE fact (n BIGINT)`)
		execute(t, first, `INSERT INTO fact VALUES (1)`)
		if n := count(t, second); n != 0 {
			t.Errorf("the second database has %d rows of the first", n)
		}
	})
	t.Run("a database is gone after its test, open connections or not", func(t *testing.T) {
		var url string
		t.Run("inner", func(t *testing.T) {
			url = pgtest.New(t)
			connect(t, url)
		})
		if connection, err := pgx.Connect(t.Context(), url); err == nil {
			_ = connection.Close(t.Context())
			t.Error("the database can still be reached")
		}
	})
	t.Run("commits are synced to disk", func(t *testing.T) {
		for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
			var value string
			if err := connect(t, pgtest.New(t)).QueryRow(t.Context(), "SHOW "+setting).Scan(&value); err != nil {
				t.Fatal(err)
			}
			if value != "on" {
				t.Errorf("%s = %s, want on", setting, value)
			}
		}
	})
}

func TestTemplate(t *testing.T) {
	t.Run("clones are migrated once and stay apart", func(t *testing.T) {
		first, second := migrated.New(t), migrated.New(t)
		execute(t, first, `INSERT INTO fact VALUES (1), (2)`)
		if a, b := count(t, first), count(t, second); a != 2 || b != 0 {
			t.Errorf("rows = %d and %d, want 2 and 0", a, b)
		}
		if migrations != 1 {
			t.Errorf("migrated %d times", migrations)
		}
	})
	t.Run("a clone is made in well under a second", func(t *testing.T) {
		migrated.New(t)
		start := time.Now()
		const clones = 10
		for range clones {
			migrated.New(t)
		}
		each := time.Since(start) / clones
		t.Logf("%s a clone", each)
		if each > time.Second {
			t.Errorf("%s a clone", each)
		}
	})
}

func TestServer(t *testing.T) {
	server := pgtest.Start(t)
	execute(t, server.URL("postgres"), `CREATE TABLE fact (n BIGINT)`)
	written := 0
	for _, end := range []struct {
		name string
		end  func() error
	}{
		{"kill -9", server.Kill},
		{"an immediate stop", func() error { return server.Stop(pgtest.Immediate) }},
		{"a fast stop", func() error { return server.Stop(pgtest.Fast) }},
		{"no stop at all", func() error { return nil }},
	} {
		t.Run("committed rows survive "+end.name, func(t *testing.T) {
			execute(t, server.URL("postgres"), `INSERT INTO fact VALUES (1)`)
			written++
			open := connect(t, server.URL("postgres")) // a backend that must die too
			if _, err := open.Exec(t.Context(), `BEGIN; INSERT INTO fact VALUES (2)`); err != nil {
				t.Fatal(err)
			}
			if err := end.end(); err != nil {
				t.Fatal(err)
			}
			if err := server.Restart(); err != nil {
				t.Fatal(err)
			}
			if n := count(t, server.URL("postgres")); n != written {
				t.Errorf("rows = %d, want the %d committed ones", n, written)
			}
			if err := open.Ping(t.Context()); err == nil {
				t.Error("a connection outlived the server")
			}
		})
	}
	t.Run("a killed server does not answer", func(t *testing.T) {
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if connection, err := pgx.Connect(t.Context(), server.URL("postgres")); err == nil {
			_ = connection.Close(t.Context())
			t.Error("it answers")
		}
	})
}

func TestStart(t *testing.T) {
	t.Run("a setting reaches the server", func(t *testing.T) {
		var value string
		server := pgtest.Start(t, "synchronous_commit=off")
		if err := connect(t, server.URL("postgres")).QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&value); err != nil {
			t.Fatal(err)
		}
		if value != "off" {
			t.Errorf("synchronous_commit = %s, want off", value)
		}
	})
	t.Run("nothing is left when its test is over", func(t *testing.T) {
		var folder string
		t.Run("inner", func(t *testing.T) {
			folder = socketFolder(t, pgtest.Start(t).URL("postgres"))
		})
		if _, err := os.Stat(folder); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", folder, err)
		}
	})
}

// TestJanitor kills a test process that has a server, and sees both go. The
// process is this test binary, called again with a folder to report to.
func TestJanitor(t *testing.T) {
	const variable = "PGTEST_REPORT"
	if report := os.Getenv(variable); report != "" {
		server := pgtest.Start(t)
		if err := os.WriteFile(report, []byte(server.URL("postgres")), 0o600); err != nil {
			t.Fatal(err)
		}
		<-t.Context().Done() // killed long before
		return
	}
	t.Run("a server does not outlive a killed test process", func(t *testing.T) {
		report := filepath.Join(t.TempDir(), "url")
		process := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestJanitor$", "-test.timeout=1m")
		process.Env = append(os.Environ(), variable+"="+report)
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		var url string
		await(t, "the report of the process", func() bool {
			text, err := os.ReadFile(report)
			url = string(text)
			return err == nil && url != ""
		})
		if err := process.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = process.Wait() // it was killed
		folder := socketFolder(t, url)
		await(t, "the end of "+folder, func() bool {
			_, err := os.Stat(folder)
			return os.IsNotExist(err)
		})
		if connection, err := pgx.Connect(t.Context(), url); err == nil {
			_ = connection.Close(t.Context())
			t.Error("the server still answers")
		}
	})
}

// await looks until the condition holds; twenty seconds without it are fatal.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !condition() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close(context.Background()) })
	return connection
}

func execute(t *testing.T, url, statement string) {
	t.Helper()
	if _, err := connect(t, url).Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, url string) (n int) {
	t.Helper()
	if err := connect(t, url).QueryRow(t.Context(), `SELECT count(*) FROM fact`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func socketFolder(t *testing.T, url string) string {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(config.Host, "/tmp/pgtest") {
		t.Fatalf("socket in %s, want a folder of its own", config.Host)
	}
	return config.Host
}
