package link_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
	"latchkey/internal/link"
	"latchkey/internal/store/storetest"
)

// How many accounts are linked, and how many at once.
const (
	recordedLinks = 10_000
	linksAtOnce   = 32
)

// What of a person must not be kept in clear. Each has an address and a browser
// of their own that begin like this.
const (
	addressCanary = "10.77."
	browserCanary = "Canary-Browser/"
)

// swift is a provider in this process. Before it asks for a password it sees,
// one time in eight, that the consent is on record; the times of the records
// say the same of all.
type swift struct {
	asked     atomic.Int64
	consented func(ctx context.Context, sessionID string) bool
	early     atomic.Int64 // passwords that were asked for without a record
}

func (*swift) Describe() connector.Description {
	return connector.Description{
		ID: "swift", Name: "Swift", Domain: "swift.example", Environments: []latchkey.Environment{latchkey.Sandbox},
	}
}

func (s *swift) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	if flow.State == nil {
		if s.asked.Add(1)%8 == 0 && !s.consented(ctx, flow.SessionID) {
			s.early.Add(1)
		}
		return connector.Prompt{At: latchkey.StateLogin, State: []byte("login"), Prompt: latchkey.Prompt{Fields: []latchkey.Field{
			{Name: "username", Type: latchkey.FieldText, Label: "Name", Required: true},
		}}}, nil
	}
	name := string(input.Fields["username"].Reveal())
	return connector.Done{
		User:       latchkey.UserData{ID: name, Name: name, Username: name},
		Credential: connector.Credential{Secret: []byte("secret of " + name)},
	}, nil
}

// clerk links accounts quickly: past the doors, which only carry what is said.
type clerk struct {
	house
	caller latchkey.Caller
	raw    *storetest.Database
}

// link links the n-th account: on a page, in another's page, or by JSON.
func (c *clerk) link(n int) {
	modes := []latchkey.AppType{latchkey.AppRedirect, latchkey.AppEmbed, latchkey.AppWhitelabel}
	links, mode := c.App.Links(), modes[n%len(modes)]
	begun, err := links.Init(c.Context(), c.caller, link.InitRequest{ClientAppID: c.Trial.ClientApps[mode]})
	if err != nil {
		c.Error(err)
		return
	}
	seen := link.Witness{Address: fmt.Sprint(addressCanary, n/250, ".", n%250+1), UserAgent: fmt.Sprint(browserCanary, n)}
	switch mode {
	case latchkey.AppEmbed:
		seen.EmbedOrigin = "https://shop.example"
	case latchkey.AppWhitelabel:
		seen = link.Witness{Attestor: c.caller.KeyID}
	}
	session := begun.Session
	step := func(action latchkey.Action, field, value string) {
		if err != nil {
			return
		}
		session, err = links.StepFrom(c.Context(), begun.Secret, session, link.Submission{
			Version: session.Version, Action: action, Seen: seen,
			Fields: map[string]latchkey.Secret{field: latchkey.NewSecret([]byte(value))},
		})
	}
	if mode != latchkey.AppWhitelabel {
		step(latchkey.ActionContinue, "", "")
		step(latchkey.ActionApprove, "", "")
	} else {
		step(latchkey.ActionContinue, "textVersion", link.ConsentTextVersion)
	}
	step(latchkey.ActionContinue, "username", fmt.Sprint("user", n))
	if err != nil || session.State != latchkey.StateCompleted {
		c.Errorf("account %d is left %s: %v", n, session.State, err)
	}
}

// linkAll links every account.
func (c *clerk) linkAll() {
	next := make(chan int)
	var all sync.WaitGroup
	for range linksAtOnce {
		all.Go(func() {
			for n := range next {
				c.link(n)
			}
		})
	}
	for n := range recordedLinks {
		next <- n
	}
	close(next)
	all.Wait()
}

// kept is a record of consent as it lies in the database.
type kept struct {
	actor, environment string
	detail             map[string]any
	at                 int64
}

// records returns the records of consent by session. A second one of the same
// session is counted.
func (c *clerk) records() (bySession map[string]kept, twice int) {
	c.Helper()
	bySession = map[string]kept{}
	c.raw.Each(func(scan func(...any) error) error {
		var record kept
		var session, detail string
		if err := scan(&session, &record.actor, &record.environment, &detail, &record.at); err != nil {
			return err
		}
		if _, known := bySession[session]; known {
			twice++
		}
		err := json.Unmarshal([]byte(detail), &record.detail)
		bySession[session] = record
		return err
	}, `SELECT subject, actor, environment, detail, created_at FROM audit WHERE action = 'consent.given'`)
	return bySession, twice
}

// lacking holds every connection against its record and returns how many have
// none, or one that does not say everything.
func (c *clerk) lacking() (connections, lacking int) {
	c.Helper()
	records, lacking := c.records()
	c.raw.Each(func(scan func(...any) error) error {
		var id, app, detail string
		var at int64
		if err := scan(&id, &app, &detail, &at); err != nil {
			return err
		}
		var connection struct {
			SessionID string `json:"sessionId"`
		}
		connections++
		if err := json.Unmarshal([]byte(detail), &connection); err != nil {
			return err
		}
		if fault := c.fault(records[connection.SessionID], connection.SessionID, app, at); fault != "" {
			if lacking++; lacking < 10 {
				c.Errorf("the record of %s %s", id, fault)
			}
		}
		return nil
	}, `SELECT id, client_app_id, detail, created_at FROM connections`)
	return connections, lacking
}

// fault says what is wrong with a record of a session that became a
// connection of the client app then; "" for nothing.
func (c *clerk) fault(record kept, session, app string, linkedAt int64) string {
	if record.detail == nil {
		return "is not there"
	}
	if record.actor != session || record.environment != string(latchkey.Sandbox) || record.at <= 0 || record.at > linkedAt {
		return fmt.Sprintf("is of %s at %d, of a connection of %d", record.actor, record.at, linkedAt)
	}
	want := map[string]any{
		"clientAppId": app, "appName": "Shop", "appDomain": "shop.example", "logoUrl": "https://shop.example/logo.svg",
		"provider": "swift", "textVersion": link.ConsentTextVersion, "textHash": link.ConsentIn("en").Hash(), "locale": "en",
		"mode": "hosted",
	}
	hashes := []string{"address", "userAgent"}
	switch app {
	case c.Trial.ClientApps[latchkey.AppEmbed]:
		want["embedOrigin"] = "https://shop.example"
	case c.Trial.ClientApps[latchkey.AppWhitelabel]:
		want["mode"], hashes = "whitelabel", nil
		if key, _ := record.detail["attestedBy"].(string); !latchkey.ValidID(key, latchkey.PrefixKey) {
			return "does not say who attests it"
		}
	}
	for name, value := range want {
		if record.detail[name] != value {
			return fmt.Sprintf("says %v for %s, want %v", record.detail[name], name, value)
		}
	}
	for _, name := range hashes {
		if hash, _ := record.detail[name].(string); len(hash) != 43 {
			return fmt.Sprintf("says %v for %s, want a keyed hash", record.detail[name], name)
		}
	}
	if fmt.Sprint(record.detail["permissions"]) != "[map[name:profile:read purpose:to greet you]]" {
		return fmt.Sprintf("has the permissions %v", record.detail["permissions"])
	}
	return ""
}

// inClear counts the rows of all tables that tell an address or a browser, as
// text or, of bytes, in hexadecimal.
func (c *clerk) inClear() (count int64) {
	c.Helper()
	var tables []string
	c.raw.Each(func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		tables = append(tables, name)
		return err
	}, `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`)
	if len(tables) < 10 {
		c.Fatalf("there are the tables %v", tables)
	}
	for _, table := range tables {
		for _, canary := range []string{addressCanary, browserCanary} {
			found := c.raw.Number(`SELECT count(*) FROM "`+table+`" t WHERE t::text LIKE $1 OR t::text LIKE $2`,
				"%"+canary+"%", "%"+hex.EncodeToString([]byte(canary))+"%")
			if count += found; found > 0 {
				c.Errorf("%d rows of %s tell %s", found, table, canary)
			}
		}
	}
	return count
}

// unnoticed changes a record of consent, a byte at a time, then its columns,
// and removes it, and returns how many changes the verification did not find.
func (c *clerk) unnoticed() (unnoticed, changes int) {
	c.Helper()
	var lane, number int64
	var detail string
	c.raw.Each(func(scan func(...any) error) error { return scan(&lane, &number, &detail) }, `SELECT lane, number, detail FROM audit
		WHERE action = 'consent.given' ORDER BY lane, number LIMIT 1 OFFSET 20`)
	change := func(statement string, args ...any) {
		c.Helper()
		statement += fmt.Sprintf(` WHERE organisation_id = '%s' AND lane = %d AND number = %d`, c.Trial.OrganisationID, lane, number)
		if n := c.raw.Exec(statement, args...); n != 1 {
			c.Fatalf("%s changed %d rows", statement, n)
		}
	}
	look := func(what string) {
		c.Helper()
		changes++
		if _, err := c.App.Store().VerifyAudit(c.Context(), c.Trial.OrganisationID); err == nil {
			unnoticed++
			c.Errorf("%s is not found", what)
		}
	}
	for at := 0; at < len(detail); at += len(detail) / 16 {
		flipped := []byte(detail)
		flipped[at] ^= 1
		change(`UPDATE audit SET detail = $1`, string(flipped))
		look(fmt.Sprintf("a flipped byte %d of %d", at, len(detail)))
	}
	change(`UPDATE audit SET detail = $1`, detail)
	for column, to := range map[string][2]string{
		"created_at": {"created_at + 1", "created_at - 1"}, "actor": {"'x' || actor", "SUBSTR(actor, 2)"},
		"subject": {"'x' || subject", "SUBSTR(subject, 2)"}, "action": {"'x' || action", "SUBSTR(action, 2)"},
		"hash": {"'x' || hash", "SUBSTR(hash, 2)"}, "environment": {"'live'", "'sandbox'"},
	} {
		change(`UPDATE audit SET ` + column + ` = ` + to[0])
		look("another " + column)
		change(`UPDATE audit SET ` + column + ` = ` + to[1])
	}
	if _, err := c.App.Store().VerifyAudit(c.Context(), c.Trial.OrganisationID); err != nil {
		c.Errorf("put back, it is not as it was: %v", err)
	}
	change(`DELETE FROM audit`)
	look("a removed record")
	return unnoticed, changes
}

func TestEveryConnectionHasItsRecordOfConsent(t *testing.T) {
	t.Parallel()
	provider := &swift{}
	options := latchtest.Options{
		DatabaseURL: latchtest.NewPostgres(t), Idle: true, Connectors: []connector.Connector{provider},
	}
	c := &clerk{house: newHouse(t, options), raw: storetest.Raw(t, options.DatabaseURL, "")}
	key, _, err := c.App.Store().APIKeyByHash(t.Context(), latchkey.HashSecret(c.Trial.APIKey))
	if err != nil {
		t.Fatal(err)
	}
	c.caller = latchkey.Caller{KeyID: key.ID, OrganisationID: key.OrganisationID, Environment: key.Environment, Scopes: key.Scopes}
	provider.consented = func(ctx context.Context, sessionID string) bool {
		records, err := c.App.Store().AuditOf(ctx, c.Trial.OrganisationID, sessionID)
		return err == nil && len(records) == 1 && records[0].Action == latchkey.AuditConsent
	}
	for appType := range c.Trial.ClientApps {
		c.ChangeApp(appType, func(app *latchkey.ClientApp) {
			app.Name, app.Domain, app.LogoURL = "Shop", "shop.example", "https://shop.example/logo.svg"
			app.Providers, app.AllowedOrigins = []string{"swift"}, []string{"https://shop.example"}
			app.Permissions = []latchkey.Permission{{Name: "profile:read", Purpose: "to greet you"}}
		})
	}
	begin := time.Now()
	c.linkAll()
	t.Logf("%d links in %s", recordedLinks, time.Since(begin).Round(time.Millisecond))

	connections, lacking := c.lacking()
	covered, err := c.App.Store().VerifyAudit(t.Context(), c.Trial.OrganisationID)
	if err != nil || covered < recordedLinks {
		t.Errorf("the chains cover %d records, %v", covered, err)
	}
	if all := c.raw.Number(`SELECT count(*) FROM audit WHERE organisation_id = $1`, c.Trial.OrganisationID); all != covered {
		t.Errorf("the chains cover %d of %d records", covered, all)
	}
	inClear := c.inClear()
	unnoticed, changes := c.unnoticed()
	violations := lacking + int(provider.early.Load()) + int(inClear) + unnoticed
	fmt.Printf("RESULT T-6 %d 0\nRESULT T-6.n %d %d\nRESULT T-6.changes %d 20\n", violations, connections, recordedLinks, changes)
	if violations > 0 || connections != recordedLinks {
		t.Errorf("%d connections: %d without a whole record, %d asked for a password before it, %d rows in clear, %d of %d changes unnoticed",
			connections, lacking, provider.early.Load(), inClear, unnoticed, changes)
	}
}
