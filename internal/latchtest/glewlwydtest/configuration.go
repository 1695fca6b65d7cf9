package glewlwydtest

import (
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// tables is Debian's SQL for a new SQLite database: the tables, the scopes and
// the user admin.
const tables = "/usr/share/doc/glewlwyd/database/init.sqlite3.sql.gz"

// configure returns the server's configuration, after Debian's sample: loopback,
// plain HTTP with cookies that work there, the log on the console.
func configure(port int, database string) []byte {
	number := strconv.Itoa(port)
	return []byte(`port=` + number + `
bind_address="127.0.0.1"
external_url="http://127.0.0.1:` + number + `"
login_url="login.html"
api_prefix="api"
log_mode="console"
log_level="INFO"
cookie_domain=""
cookie_secure=0
session_expiration=2419200
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="/usr/lib/glewlwyd/user"
user_middleware_module_path="/usr/lib/glewlwyd/user_middleware"
client_module_path="/usr/lib/glewlwyd/client"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
hash_algorithm="SHA512"
database = { type = "sqlite3"  path = ` + strconv.Quote(database) + ` };
`)
}

// createDatabase makes the SQLite file, with the sqlite3 command that the
// package glewlwyd depends on.
func createDatabase(ctx context.Context, database string) error {
	packed, err := os.Open(tables)
	if err != nil {
		return fmt.Errorf("%w: documentation files may have been left out when glewlwyd was installed", err)
	}
	defer packed.Close()
	sql, err := gzip.NewReader(packed)
	if err != nil {
		return fmt.Errorf("read %s: %w", tables, err)
	}
	binary, err := exec.LookPath("sqlite3")
	if err != nil {
		return fmt.Errorf("no sqlite3 in PATH: apt-get install sqlite3: %w", err)
	}
	command := exec.CommandContext(ctx, binary, "-batch", "-bail", database)
	command.Stdin = sql
	if printed, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("create the database: %w: %s", err, printed)
	}
	return nil
}
