package store_test

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/store"
	"latchkey/internal/store/storetest"
)

// chained is a store with an organisation's records in it.
type chained struct {
	*testing.T
	store        *store.Store
	raw          *storetest.Database
	organisation string
}

// recorded is how many records there are, about ten subjects.
const recorded = 200

func newChained(t *testing.T, config store.Config) chained {
	t.Helper()
	opened, err := store.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	c := chained{t, opened, storetest.Raw(t, config.URL, config.Path), latchkey.NewID(rand.Reader, latchkey.PrefixOrganisation)}
	var all sync.WaitGroup
	for i := range recorded {
		all.Go(func() { c.record(c.organisation, fmt.Sprint("conn_", i%10)) })
	}
	all.Wait()
	c.record("org_other", "conn_1")
	return c
}

func (c chained) record(organisation, subject string) {
	err := c.store.RecordAudit(c.Context(), latchkey.AuditRecord{
		OrganisationID: organisation, Environment: latchkey.Sandbox, Actor: "key_1", Action: latchkey.AuditConsent,
		Subject: subject, Detail: `{"text":"1"}`, CreatedAt: time.Now(),
	})
	if err != nil {
		c.Error(err)
	}
}

// execute changes what no part of Latchkey ever changes.
func (c chained) execute(statement string, args ...any) {
	c.Helper()
	if changed := c.raw.Exec(statement, args...); changed == 0 {
		c.Fatalf("%s changed nothing", statement)
	}
}

// sound fails the test unless every record is covered.
func (c chained) sound(name string, want int64) {
	c.Helper()
	if covered, err := c.store.VerifyAudit(c.Context(), c.organisation); err != nil || covered != want {
		c.Errorf("%s: the chains cover %d of %d records, %v", name, covered, want, err)
	}
}

// broken fails the test unless the verification says what is wrong.
func (c chained) broken(name, want string) {
	c.Helper()
	_, err := c.store.VerifyAudit(c.Context(), c.organisation)
	if err == nil || !strings.Contains(err.Error(), want) {
		c.Errorf("%s: the verification says %v, want %q", name, err, want)
	}
}

func onBothEngines(t *testing.T, run func(t *testing.T, config store.Config)) {
	t.Run("SQLite", func(t *testing.T) { run(t, store.Config{Path: filepath.Join(t.TempDir(), "latchkey.db")}) })
	t.Run("PostgreSQL", func(t *testing.T) { run(t, store.Config{URL: migrated.New(t)}) })
}

func TestAChangedAuditRecordIsFound(t *testing.T) {
	onBothEngines(t, func(t *testing.T, config store.Config) {
		c := newChained(t, config)
		c.sound("at first", recorded)
		lane := c.raw.Number(`SELECT MIN(lane) FROM audit WHERE organisation_id = $1`, c.organisation)
		length := c.raw.Number(`SELECT MAX(number) FROM audit WHERE organisation_id = $1 AND lane = $2`, c.organisation, lane)
		for _, number := range []int64{1, length / 2, length} {
			where := fmt.Sprintf(` WHERE organisation_id = '%s' AND lane = %d AND number = %d`, c.organisation, lane, number)
			for column, change := range map[string][2]string{
				"actor": {"'key_2'", "'key_1'"}, "action": {"'connection.imported'", "'consent.given'"},
				"environment": {"'live'", "'sandbox'"}, "detail": {`'{"text":"2"}'`, `'{"text":"1"}'`},
				"created_at":      {"created_at + 1", "created_at - 1"},
				"subject":         {"subject || '0'", "SUBSTR(subject, 1, LENGTH(subject) - 1)"},
				"hash":            {"'0' || hash", "SUBSTR(hash, 2)"},
				"organisation_id": {"'org_none'", "'" + c.organisation + "'"},
				"number":          {"number + 1000000", "number - 1000000"},
			} {
				c.execute(`UPDATE audit SET ` + column + ` = ` + change[0] + where)
				c.broken(fmt.Sprintf("%s of record %d", column, number), fmt.Sprintf("chain %d", lane))
				undo := strings.NewReplacer(fmt.Sprintf("number = %d", number), fmt.Sprintf("number >= %d AND (number = %d OR number > 1000)", number, number))
				where := undo.Replace(where)
				if column == "organisation_id" {
					where = strings.Replace(where, c.organisation, "org_none", 1)
				}
				c.execute(`UPDATE audit SET ` + column + ` = ` + change[1] + where)
				c.sound(fmt.Sprintf("%s of record %d as it was", column, number), recorded)
			}
		}
	})
}

func TestARemovedAuditRecordIsFound(t *testing.T) {
	onBothEngines(t, func(t *testing.T, config store.Config) {
		c := newChained(t, config)
		lane := c.raw.Number(`SELECT MAX(lane) FROM audit WHERE organisation_id = $1`, c.organisation)
		length := c.raw.Number(`SELECT MAX(number) FROM audit WHERE organisation_id = $1 AND lane = $2`, c.organisation, lane)
		for name, removal := range map[string]struct{ from, to int64 }{
			"the first": {1, 1}, "one in the middle": {length / 2, length / 2}, "the last": {length, length},
			"the last two": {length - 1, length}, "all": {1, length},
		} {
			const columns = `organisation_id, environment, actor, action, subject, detail, created_at, lane, number, hash`
			const those = ` WHERE organisation_id = $1 AND lane = $2 AND number BETWEEN $3 AND $4`
			c.raw.Exec(`CREATE TABLE kept AS SELECT * FROM audit`)
			c.execute(`DELETE FROM audit`+those, c.organisation, lane, removal.from, removal.to)
			c.broken(name, fmt.Sprintf("chain %d", lane))
			c.execute(`INSERT INTO audit (`+columns+`) SELECT `+columns+` FROM kept`+those, c.organisation, lane, removal.from, removal.to)
			c.raw.Exec(`DROP TABLE kept`)
			c.sound(name+", put back", recorded)
		}
		c.execute(`UPDATE audit_chains SET length = length - 1 WHERE organisation_id = $1 AND lane = $2`, c.organisation, lane)
		c.broken("a chain that is said to be shorter", "does not end as it was left")
		c.execute(`UPDATE audit_chains SET length = length + 2 WHERE organisation_id = $1 AND lane = $2`, c.organisation, lane)
		c.broken("a chain that is said to be longer", "ends at")
	})
}

func TestAnAuditOfNobodyIsSoundAndEmpty(t *testing.T) {
	onBothEngines(t, func(t *testing.T, config store.Config) {
		c := newChained(t, config)
		if covered, err := c.store.VerifyAudit(t.Context(), "org_nobody"); covered != 0 || err != nil {
			t.Errorf("covers %d, %v", covered, err)
		}
		c.execute(`UPDATE audit SET actor = 'x' WHERE organisation_id = 'org_other'`)
		c.sound("beside another organisation's change", recorded)
	})
}
