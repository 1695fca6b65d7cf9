package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// shared is the cluster of the test process, or the server of DATABASE_URL.
var shared cluster

// cluster is where databases are created. Creation is serial, as a template
// can't be cloned while another session reads it.
type cluster struct {
	mu      sync.Mutex
	err     error        // of the first start; not tried again
	server  *Server      // nil with DATABASE_URL
	address *url.URL     // of the maintenance database; nil before the first use
	made    []*Blueprint // templates that exist, for Main to drop
}

// New returns the URL of a fresh, empty database, dropped at the test's
// cleanup. The first call of the process starts the server. Failure is fatal.
func New(t testing.TB) string {
	t.Helper()
	return newDatabase(t, nil)
}

// Blueprint is a migrated database that is cloned instead of migrated again.
type Blueprint struct {
	name     string
	migrate  func(url string) error
	database string // of the template; empty before the first clone
	err      error  // of the migration; not tried again
}

// Template describes a template database: migrate is called once a process,
// at the first New, and must leave no connection open. Keep the result in a
// package variable of the test.
func Template(name string, migrate func(url string) error) *Blueprint {
	return &Blueprint{name: name, migrate: migrate}
}

// New returns the URL of a fresh clone of the template, dropped at the test's
// cleanup. Failure is fatal.
func (b *Blueprint) New(t testing.TB) string {
	t.Helper()
	return newDatabase(t, b)
}

// Main runs the tests, drops the templates and stops the server. It is for a
// TestMain and only needed with DATABASE_URL, where templates would stay:
// without it the janitor cleans up when the process ends.
func Main(m *testing.M) int {
	code := m.Run()
	if err := shared.close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}

func newDatabase(t testing.TB, blueprint *Blueprint) string {
	t.Helper()
	address, err := shared.create(blueprint)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := shared.drop(address); err != nil {
			t.Error(err)
		}
	})
	return address
}

// create makes a database, empty or from the blueprint, and returns its URL.
func (c *cluster) create(blueprint *Blueprint) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.open(); err != nil {
		return "", err
	}
	database, template := newName("test"), "template0"
	if blueprint != nil {
		if err := c.build(blueprint); err != nil {
			return "", err
		}
		template = blueprint.database
	}
	return c.url(database), c.execute("CREATE DATABASE " + quote(database) + " TEMPLATE " + quote(template))
}

// open finds or starts the server, once.
func (c *cluster) open() error {
	if c.address != nil || c.err != nil {
		return c.err
	}
	address := os.Getenv("DATABASE_URL")
	if address == "" {
		c.server, c.err = newServer(nil, nil)
		if c.err != nil {
			return c.err
		}
		address = c.server.URL("postgres")
	}
	c.address, c.err = url.Parse(address)
	if c.err != nil {
		c.err = errors.New("DATABASE_URL is not a URL") // the cause would repeat its password
	}
	return c.err
}

// build migrates the blueprint's template, once.
func (c *cluster) build(b *Blueprint) error {
	if b.database != "" || b.err != nil {
		return b.err
	}
	database := newName(b.name)
	if b.err = c.execute("CREATE DATABASE " + quote(database) + " TEMPLATE template0"); b.err != nil {
		return b.err
	}
	b.database = database
	c.made = append(c.made, b)
	if err := b.migrate(c.url(database)); err != nil {
		b.err = fmt.Errorf("migrate template %s: %w", b.name, err)
	}
	return b.err
}

// drop ends every connection to the database and removes it.
func (c *cluster) drop(address string) error {
	parsed, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("drop a test database: %w", err)
	}
	return c.execute("DROP DATABASE IF EXISTS " + quote(strings.TrimPrefix(parsed.Path, "/")) + " WITH (FORCE)")
}

// close drops the templates and stops the server.
func (c *cluster) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	if c.server != nil {
		err = c.server.close()
	} else {
		for _, blueprint := range c.made {
			err = errors.Join(err, c.drop(c.url(blueprint.database)))
		}
	}
	for _, blueprint := range c.made {
		blueprint.database = ""
	}
	c.server, c.address, c.made = nil, nil, nil
	return err
}

// url returns the address of a database on the cluster.
func (c *cluster) url(database string) string {
	address := *c.address
	address.Path = "/" + database
	return address.String()
}

// execute runs one statement in the maintenance database.
func (c *cluster) execute(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	connection, err := pgx.Connect(ctx, c.address.String())
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL for tests: %w", err)
	}
	defer func() { _ = connection.Close(ctx) }()
	if _, err := connection.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// newName returns a database name that no other test process uses.
func newName(purpose string) string {
	return "latchkey_" + purpose + "_" + strings.ToLower(rand.Text())
}

// quote returns the name as an SQL identifier.
func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
