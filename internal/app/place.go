package app

import (
	"os"
	"path/filepath"
	"strings"

	"latchkey/internal/store"
)

// placeOf reads where a database is from a command line: a URL of PostgreSQL, a
// SQLite file, or the data folder with one.
func placeOf(text string) store.Config {
	if strings.Contains(text, "://") {
		return store.Config{URL: text}
	}
	if info, err := os.Stat(text); err == nil && info.IsDir() {
		text = filepath.Join(text, "latchkey.db")
	}
	return store.Config{Path: text}
}
