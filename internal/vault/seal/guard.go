package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// readFile returns the text of a key file that only this user can read or
// write. It looks at the opened file, not at the name, so that nothing can be
// put in its place in between, and it does not follow a symbolic link.
func readFile(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("key file %s: it is a symbolic link; name the file itself", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("open key file: %w", err)
	}
	if err := private(info, os.Geteuid()); err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("read key file: %w", err)
	}
	if len(text) == 0 || len(text) > maxFileSize {
		return nil, fmt.Errorf("key file %s: %w", path, errCorrupt)
	}
	return text, nil
}

// private refuses a file that is not a regular one, that others may read or
// write, or that is not the user's own. The errors say what to do.
func private(info fs.FileInfo, user int) error {
	if !info.Mode().IsRegular() {
		return errors.New("it is not a regular file; name the file that latchkey made at its first start")
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(owner.Uid) != user {
		return fmt.Errorf("it is owned by somebody else; chown it to the user that runs latchkey (uid %d)", user)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("others may read or write it (mode %04o); if nobody has copied it, chmod it to 0600", mode)
	}
	return nil
}
