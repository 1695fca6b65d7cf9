package conformancetest

import (
	"fmt"
	"strings"
	"testing"

	"latchkey/internal/latchtest/pgtest"
)

// fewestRows is how many statements the suite must at least hold.
const fewestRows = 150

func TestEveryStatementHolds(t *testing.T) {
	t.Run("on SQLite, with the rows that take a minute", func(t *testing.T) {
		t.Parallel()
		s := start(t)
		judge(t, "sqlite", check(t, s.APIURL, s.APIKey, "--long"))
	})
	t.Run("on PostgreSQL", func(t *testing.T) {
		t.Parallel()
		s := start(t, "--database-url", pgtest.New(t))
		judge(t, "postgresql", check(t, s.APIURL, s.APIKey))
	})
	t.Run("twice at once on the same server", func(t *testing.T) {
		t.Parallel()
		s := start(t)
		for _, name := range []string{"one", "the other"} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				refuse(t, check(t, s.APIURL, s.APIKey, "--parallel", "4"))
			})
		}
	})
	t.Run("without what is added to the original API", func(t *testing.T) {
		t.Parallel()
		s := start(t)
		told := check(t, s.APIURL, s.APIKey, "--core")
		refuse(t, told)
		fmt.Printf("RESULT conformance.failed.core %d 0\n", told.Failed)
	})
}

// judge fails the test unless every row applied and passed.
func judge(t *testing.T, engine string, told report) {
	t.Helper()
	refuse(t, told)
	for _, row := range told.Rows {
		if row.Outcome == "not applicable" {
			t.Errorf("%s does not apply: %s", row.ID, row.Seen)
		}
	}
	if len(told.Rows) < fewestRows {
		t.Errorf("there are %d rows, want at least %d", len(told.Rows), fewestRows)
	}
	fmt.Printf("RESULT conformance.failed.%s %d 0\n", engine, told.Failed)
	fmt.Printf("RESULT conformance.rows.%s %d %d\n", engine, len(told.Rows), fewestRows)
}

// refuse fails the test for every row that failed.
func refuse(t *testing.T, told report) {
	t.Helper()
	for _, row := range told.Rows {
		if row.Outcome == "failed" {
			t.Errorf("%s (%s): %s", row.ID, row.Statement, row.Seen)
		}
		if strings.Contains(row.Seen, "sk_sandbox_") && !strings.Contains(row.Seen, "sk_sandbox_…") {
			t.Errorf("%s shows a key", row.ID)
		}
	}
	if told.Passed == 0 {
		t.Error("no row passed")
	}
}
