package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"latchkey/internal/store"
	"latchkey/internal/store/dump"
	"latchkey/internal/vault/seal"
)

// BackedUp is what a backup holds.
type BackedUp struct {
	Rows   int64
	Bytes  int64
	Schema int64
	MadeAt time.Time
}

// Backup writes the database to a new file, while servers go on, and reads it
// again to see that it is whole. The key is not in it.
func Backup(ctx context.Context, config Config, path string) (BackedUp, error) {
	config, err := config.complete()
	if err != nil {
		return BackedUp{}, err
	}
	snapshot, err := store.OpenSnapshot(ctx, config.place())
	if err != nil {
		return BackedUp{}, err
	}
	defer func() { _ = snapshot.Close() }()
	key, err := openBackupKey(config)
	if err != nil {
		return BackedUp{}, err
	}
	if err := key.verify(snapshot.Header().Proof); err != nil {
		return BackedUp{}, err
	}
	err = writeNew(path, func(out io.Writer) error {
		_, err := snapshot.Backup(ctx, out, func(sum []byte) ([]byte, error) { return key.seal(ctx, sum) })
		return err
	})
	if err != nil {
		return BackedUp{}, err
	}
	return CheckBackup(ctx, config, path)
}

// place is where the database of the configuration is.
func (c Config) place() store.Config {
	if c.DatabaseURL != "" {
		return store.Config{URL: c.DatabaseURL}
	}
	return store.Config{Path: c.databasePath()}
}

// writeNew makes a file of mode 0600 that is there with all its content, or not
// at all. One that is there already is left alone.
func writeNew(path string, write func(io.Writer) error) (err error) {
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is there already: name a new file", path)
	}
	draft := path + ".partial"
	if err := os.Remove(draft); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("write %s: %w", path, err)
	}
	file, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() { _ = os.Remove(draft) }()
	buffered := bufio.NewWriterSize(file, 1<<20)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return putInPlace(draft, path)
}

// putInPlace gives a finished file its name, which nothing may have, durably.
func putInPlace(draft, path string) error {
	if err := os.Link(draft, path); err != nil {
		return fmt.Errorf("put %s in its place: %w", path, err)
	}
	if err := os.Remove(draft); err != nil {
		return fmt.Errorf("put %s in its place: %w", path, err)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("put %s in its place: %w", path, err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// CheckBackup reads a whole backup without writing anything.
func CheckBackup(ctx context.Context, config Config, path string) (BackedUp, error) {
	config, err := config.complete()
	if err != nil {
		return BackedUp{}, err
	}
	return readBackup(ctx, config, path, func(dump.Table, []any) {})
}

// readBackup reads a whole backup and shows every row.
func readBackup(ctx context.Context, config Config, path string, show func(dump.Table, []any)) (BackedUp, error) {
	found := BackedUp{}
	err := withBackup(ctx, config, path, func(backup *dump.Reader) error {
		found.Schema, found.MadeAt = backup.Header().Schema, backup.Header().MadeAt
		for {
			table, row, err := backup.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			found.Rows++
			show(table, row)
		}
	})
	if err != nil {
		return BackedUp{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return BackedUp{}, err
	}
	found.Bytes = info.Size()
	return found, nil
}

// withBackup opens a backup whose key is the configuration's.
func withBackup(ctx context.Context, config Config, path string, read func(*dump.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the backup: %w", err)
	}
	defer func() { _ = file.Close() }()
	key, err := openBackupKey(config)
	if err != nil {
		return fmt.Errorf("open the vault's key, without which nothing in a backup can be used: %w", err)
	}
	backup, err := dump.NewReader(bufio.NewReaderSize(file, 1<<20), func(sum, sealed []byte) error {
		opened, err := key.open(ctx, sealed)
		if err != nil && !errors.Is(err, seal.ErrOpen) {
			return err
		}
		if err != nil || string(opened) != string(sum) {
			return fmt.Errorf("%w: it was changed, or its key is another than %s", dump.ErrCorrupt, key.name)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := key.verify(backup.Header().Proof); err != nil {
		return fmt.Errorf("%s: it was made with another key: %w", path, err)
	}
	if err := store.Knows(backup.Header().Schema); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := read(backup); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
