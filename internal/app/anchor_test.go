package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/app"
	"latchkey/internal/store/storetest"
)

// recordThrough starts an app, writes records of an organisation, and stops it.
func recordThrough(t *testing.T, config app.Config, records int) {
	t.Helper()
	latch, err := app.New(t.Context(), config, app.Parts{})
	must(t, err)
	for i := range records {
		must(t, latch.Store().RecordAudit(t.Context(), latchkey.AuditRecord{
			OrganisationID: "org_1", Environment: latchkey.Live, Actor: "key_1", Action: latchkey.AuditConsent,
			Subject: fmt.Sprint("conn_", i%3), Detail: "{}", CreatedAt: time.Now(),
		}))
	}
	stop(t, latch)
}

func TestADatabaseThatWasPutBackIsFound(t *testing.T) {
	folder := t.TempDir()
	config := app.Config{Data: filepath.Join(folder, "data"), AnchorFile: filepath.Join(folder, "anchor.json")}
	path := filepath.Join(config.Data, "latchkey.db")
	recordThrough(t, config, 5)
	old, err := os.ReadFile(path)
	must(t, err)
	recordThrough(t, config, 5)
	newest, err := os.ReadFile(path)
	must(t, err)
	put := func(text []byte) {
		t.Helper()
		for _, end := range []string{"-wal", "-shm"} {
			_ = os.Remove(path + end)
		}
		must(t, os.WriteFile(path, text, 0o600))
	}
	found := 0
	for name, spoil := range map[string]func(t *testing.T){
		"the whole database of before": func(*testing.T) { put(old) },
		"records cut off with the end of their chain": func(t *testing.T) {
			raw := storetest.Raw(t, "", path)
			for _, statement := range []string{
				"DELETE FROM audit WHERE subject = 'conn_1' AND number = (SELECT MAX(number) FROM audit WHERE subject = 'conn_1')",
				`UPDATE audit_chains SET (length, hash) = (SELECT number, hash FROM audit WHERE audit.lane = audit_chains.lane ORDER BY number DESC LIMIT 1)`,
			} {
				raw.Exec(statement)
			}
		},
	} {
		put(newest)
		t.Run(name, func(t *testing.T) {
			spoil(t)
			text := refused(t, config)
			_, err := app.VerifyAudit(t.Context(), config)
			if !strings.Contains(text, "an older database was put back, or records were cut off") || err == nil {
				t.Errorf("it says %s; the verification says %v", text, err)
				return
			}
			found++
		})
	}
	fmt.Printf("RESULT V-1.rollbacks_found %d of 2 2\n", found)
	put(newest)
	recordThrough(t, config, 1)
	must(t, os.WriteFile(config.AnchorFile, []byte("{"), 0o600))
	if text := refused(t, config); !strings.Contains(text, "is damaged") {
		t.Errorf("a damaged anchor: it says %s", text)
	}
	must(t, os.Remove(config.AnchorFile))
	put(old) // as an operator does who has restored a backup
	recordThrough(t, config, 1)
}
