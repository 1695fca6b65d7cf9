package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/jobs"
	"latchkey/internal/store"
)

const (
	anchorEvery = time.Minute
	maxAnchor   = 16 << 20 // bytes: some 100,000 chains
)

// anchor is the file that remembers where the chains of the audit ended. It is
// kept apart from the database: who puts an old one back is found out.
type anchor struct {
	path  string // empty: nothing is remembered
	store *store.Store
}

// check refuses a database that lacks a record which was there.
func (a anchor) check(ctx context.Context) error {
	if a.path == "" {
		return nil
	}
	text, err := readBounded(a.path, maxAnchor)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read anchor_file: %w", err)
	}
	var heads []latchkey.AuditHead
	if err := json.Unmarshal(text, &heads); err != nil {
		return fmt.Errorf("anchor_file %s is damaged: put its copy back, or remove it if you know why: %w", a.path, err)
	}
	for _, head := range heads {
		held, err := a.store.HoldsAuditHead(ctx, head)
		if err != nil {
			return err
		}
		if !held {
			return fmt.Errorf("an older database was put back, or records were cut off: audit record %d of chain %d of %s is not there, "+
				"which %s remembers; if you have restored a backup, remove that file", head.Number, head.Lane, head.OrganisationID, a.path)
		}
	}
	return nil
}

// keep writes where the chains end now, in place of what was remembered.
func (a anchor) keep(ctx context.Context) error {
	if a.path == "" {
		return nil
	}
	heads, err := a.store.AuditHeads(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(heads)
	if err != nil {
		return fmt.Errorf("encode anchor_file: %w", err)
	}
	draft, err := os.CreateTemp(filepath.Dir(a.path), filepath.Base(a.path)+".new-")
	if err != nil {
		return fmt.Errorf("write anchor_file: %w", err)
	}
	_, err = draft.Write(text)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err == nil {
		err = os.Rename(draft.Name(), a.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write anchor_file: %w", err), os.Remove(draft.Name()))
	}
	return nil
}

// anchoring makes the loop that keeps the anchor.
func (a *App) anchoring() lifecycle {
	return jobs.NewTicker(jobs.TickerConfig{
		Name: "anchor", Every: anchorEvery, Log: a.parts.Log, Now: a.parts.Now, Do: a.anchor().keep,
	})
}

func (a *App) anchor() anchor { return anchor{a.config.AnchorFile, a.store} }

// AuditReport is what a verification of the audit says of an organisation.
type AuditReport struct {
	Organisation latchkey.Organisation
	Records      int64 // that the chains cover
	Err          error // where they are broken; nil: they are sound
}

// VerifyAudit recomputes the chains of every organisation, and holds them
// against the anchor if there is one.
func VerifyAudit(ctx context.Context, config Config) ([]AuditReport, error) {
	kept, _, err := openInstallation(ctx, config, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = kept.Close() }()
	organisations, err := kept.Organisations(ctx)
	if err != nil {
		return nil, err
	}
	var reports []AuditReport
	for _, organisation := range organisations {
		covered, err := kept.VerifyAudit(ctx, organisation.ID)
		reports = append(reports, AuditReport{organisation, covered, err})
	}
	return reports, anchor{config.AnchorFile, kept}.check(ctx)
}
