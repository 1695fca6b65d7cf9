package mediawikitest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// program is where Debian puts MediaWiki.
const program = "/usr/share/mediawiki"

// wikiName is the name of the database, and with it of the cookies.
const wikiName = "wiki"

// install makes a wiki in the folder: its database and its settings.
func install(ctx context.Context, folder string) error {
	return run(ctx, folder, "install.php", "--dbtype", "sqlite", "--dbpath", filepath.Join(folder, "db"), "--dbname", wikiName,
		"--confpath", folder, "--server", "http://127.0.0.1", "--scriptpath", "", "--pass", adminPassword, "Wiki", "Admin")
}

// adminPassword is that of the wiki's own admin, whom no test logs in as.
const adminPassword = "not-for-the-tests-1"

// configure adds to the settings what a test wants: the address, a cache that
// counts wrong passwords, no jobs that run by chance.
func configure(folder string, port int) error {
	file, err := os.OpenFile(filepath.Join(folder, "LocalSettings.php"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the settings: %w", err)
	}
	_, err = file.WriteString(`
$wgServer = "http://127.0.0.1:` + strconv.Itoa(port) + `";
$wgSQLiteDataDir = ` + strconv.Quote(filepath.Join(folder, "db")) + `;
$wgMainCacheType = CACHE_DB;
$wgCacheDirectory = ` + strconv.Quote(filepath.Join(folder, "cache")) + `;
$wgJobRunRate = 0;
$wgEnableEmail = false;
`)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	return nil
}

// run runs one of MediaWiki's maintenance scripts.
func run(ctx context.Context, folder, script string, args ...string) error {
	path := filepath.Join(program, "maintenance", script)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("no MediaWiki: apt-get install mediawiki: %w", err)
	}
	command := exec.CommandContext(ctx, "php", append([]string{path}, args...)...)
	command.Dir, command.Env = folder, environment(folder)
	if script == "install.php" {
		command.Env = os.Environ() // it refuses where there are settings
	}
	if printed, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", script, err, printed)
	}
	return nil
}

// environment names the wiki that a PHP process is about.
func environment(folder string) []string {
	return append(os.Environ(), "MW_CONFIG_FILE="+filepath.Join(folder, "LocalSettings.php"))
}
