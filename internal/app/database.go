package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"latchkey/internal/store"
)

// databasePatience is how long a request may wait for the database, before it
// is told to come again.
const databasePatience = 1500 * time.Millisecond

// maxConnections is more than any PostgreSQL has for one process.
const maxConnections = 1000

// completeDatabase reads the URLs that lie in files, and refuses settings that
// contradict each other.
func (c *Config) completeDatabase() error {
	for _, url := range []struct {
		name        string
		value, file *string
	}{
		{"database_url", &c.DatabaseURL, &c.DatabaseURLFile},
		{"database_direct_url", &c.DatabaseDirectURL, &c.DatabaseDirectURLFile},
	} {
		if *url.file == "" {
			continue
		}
		if *url.value != "" {
			return fmt.Errorf("set %s or %s_file, not both", url.name, url.name)
		}
		text, err := readBounded(*url.file, maxSecretFile)
		if err != nil {
			return fmt.Errorf("read %s_file: %w", url.name, err)
		}
		*url.value = strings.TrimSpace(string(text))
	}
	if c.DatabaseDirectURL != "" && c.DatabaseURL == "" {
		return errors.New("database_direct_url is set but database_url, the pooler's, is not")
	}
	if c.DatabaseConnections < 0 || c.DatabaseConnections > maxConnections {
		return errors.New("database_connections must be 1 to 1000")
	}
	return nil
}

// patient returns what lets no request wait for the database longer than its
// client does. A database in this process answers at once: there it is nil.
func (a *App) patient() func(context.Context) context.Context {
	if a.config.DatabaseURL == "" {
		return nil
	}
	patience := cmp.Or(a.parts.Patience, databasePatience)
	return func(ctx context.Context) context.Context { return store.WithPatience(ctx, patience) }
}

// forget makes the rooms ask the store anew for what has changed, here or at
// another replica.
func (a *App) forget(change store.Change) {
	if !a.built.Load() {
		return
	}
	if change.Kind != store.ChangedApps {
		a.keys.Forget(change.OrganisationID)
	}
	if change.Kind != store.ChangedKeys {
		a.links.ForgetApps(change.OrganisationID)
	}
}
