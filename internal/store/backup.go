package store

import (
	"context"
	"fmt"
	"io"

	"latchkey/internal/store/dump"
)

// Backup writes the snapshot as a file, in bounded memory, and returns how many
// rows there are of each table.
func (s *Snapshot) Backup(ctx context.Context, out io.Writer, seal func(sum []byte) ([]byte, error)) (map[string]int64, error) {
	writer, err := dump.NewWriter(out, s.header)
	if err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	for _, table := range s.header.Tables {
		if err := writer.Table(); err != nil {
			return nil, fmt.Errorf("write the backup: %w", err)
		}
		if err := s.Rows(ctx, table, nil, writer.Row); err != nil {
			return nil, fmt.Errorf("write the backup: %w", err)
		}
	}
	counts, err := writer.Close(seal)
	if err != nil {
		return nil, fmt.Errorf("write the backup: %w", err)
	}
	return counts, nil
}
