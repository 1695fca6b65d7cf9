package link_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
)

// watchedID is the provider whose checks the test answers.
const watchedID = "watched"

// attended is a provider whose live connections are asked after every hour, and
// that the test lets say what it wants.
type attended struct {
	*latchtest.Provider
	perMinute int
	mu        sync.Mutex
	says      error          // to a check
	blocks    error          // to a login
	life      time.Duration  // of a login; 0: for ever
	asked     map[string]int // checks, by credential
	advanced  int            // steps of logins
}

// Describe returns the provider's facts under a name of its own.
func (w *attended) Describe() connector.Description {
	facts := w.Provider.Describe()
	facts.ID, facts.CheckEvery, facts.RequestsPerMinute = watchedID, time.Hour, w.perMinute
	return facts
}

// Advance logs in, unless logins are blocked.
func (w *attended) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	w.mu.Lock()
	blocks, life := w.blocks, w.life
	w.advanced++
	w.mu.Unlock()
	if blocks != nil && input.Action != "" {
		return nil, blocks
	}
	step, err := w.Provider.Advance(ctx, flow, input)
	if done, ok := step.(connector.Done); ok && life > 0 {
		done.Credential.ExpiresAt = flow.Now.Add(life)
		return done, err
	}
	return step, err
}

// Check says what the test wants.
func (w *attended) Check(_ context.Context, access connector.Access) (connector.Profile, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked[string(access.Credential)]++
	return connector.Profile{}, w.says
}

// say sets what checks are answered with.
func (w *attended) say(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.says = err
}

// block sets what logins are answered with, and returns how many steps there
// were until now.
func (w *attended) block(err error) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.blocks = err
	return w.advanced
}

// checks counts the checks, and how many connections had more than one.
func (w *attended) checks() (all, twice int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, count := range w.asked {
		all += count
		if count > 1 {
			twice++
		}
	}
	return all, twice
}

// unrenewable hides that the tester's credentials can be refreshed.
type unrenewable struct {
	connector.Connector
	connector.Authorizer
	connector.Checker
	connector.Revoker
}

// watch is an app, or several replicas of it, with the watched provider. Time
// stands still until it is moved, and nothing happens in the background.
type watch struct {
	*latchtest.Server // the first
	replicas          []*latchtest.Server
	provider          *attended
}

func newWatch(t *testing.T, options latchtest.Options, replicas int) *watch {
	t.Helper()
	p := &attended{Provider: latchtest.NewProvider(t), asked: map[string]int{}}
	w := &watch{provider: p}
	options.Idle, options.LogLevel, options.Data = true, slog.LevelWarn, filepath.Join(t.TempDir(), "data")
	options.Connectors = []connector.Connector{unrenewable{p, p, p, p}}
	for range replicas {
		server := latchtest.Start(t, options)
		server.Clock.Freeze(time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC))
		w.replicas = append(w.replicas, server)
	}
	w.Server = w.replicas[0]
	return w
}

// move lets time pass for all.
func (w *watch) move(by time.Duration) {
	for _, replica := range w.replicas {
		replica.Clock.Move(by)
	}
}

// imported makes a connection by import.
func (w *watch) imported(username string) string {
	w.Helper()
	return latchtest.Decode[latchtest.Connection](w.Server, w.Want(http.StatusOK, "POST", "/v2/account/connections/import",
		map[string]any{"provider": watchedID, "credentials": map[string]string{"username": username, "password": latchtest.Password}})).ID
}

// turn lets a replica check what is due, as its background does, and returns
// how many that were.
func (w *watch) turn(replica int) int {
	w.Helper()
	links := w.replicas[replica].App.Links()
	due, err := links.ClaimChecks(w.Context(), 100)
	if err != nil {
		w.Fatal(err)
	}
	var checks sync.WaitGroup
	for _, check := range due {
		checks.Go(func() { links.CheckConnection(w.Context(), check) })
	}
	checks.Wait()
	return len(due)
}

// looked is a connection as the API shows it.
type looked struct {
	Status        string  `json:"status"`
	UpdatedAt     string  `json:"updatedAt"`
	LastCheckedAt *string `json:"lastCheckedAt"`
	Expiry        *struct {
		Reason    string `json:"reason"`
		CanReauth bool   `json:"canReauth"`
	} `json:"expiry"`
}

func (w *watch) look(connection string) looked {
	w.Helper()
	return latchtest.Decode[looked](w.Server, w.Want(http.StatusOK, "GET", "/v2/account/connections/"+connection, nil))
}

// told returns the types of a connection's events, in order.
func (w *watch) told(connection string) (types []latchkey.EventType) {
	w.Helper()
	page, err := w.App.Store().EventsAfter(w.Context(), w.Trial.OrganisationID, latchkey.Sandbox, 0, 1000)
	if err != nil {
		w.Fatal(err)
	}
	for _, event := range page.Events {
		if event.Subject == connection {
			types = append(types, event.Type)
		}
	}
	return types
}

// body returns the body of the connection's last event.
func (w *watch) body(connection string) string {
	w.Helper()
	page, err := w.App.Store().EventsAfter(w.Context(), w.Trial.OrganisationID, latchkey.Sandbox, 0, 1000)
	if err != nil {
		w.Fatal(err)
	}
	body := ""
	for _, event := range page.Events {
		if event.Subject == connection {
			body = string(event.Body)
		}
	}
	return body
}

// purposes counts the connection's records of use, by purpose.
func (w *watch) purposes(connection string) map[string]int {
	w.Helper()
	records, err := w.App.Store().AuditOf(w.Context(), w.Trial.OrganisationID, connection)
	if err != nil {
		w.Fatal(err)
	}
	counts := map[string]int{}
	for _, record := range records {
		if record.Action == latchkey.AuditCredentialOpened {
			counts[fmt.Sprintf("%s by %s", record.Detail, record.Actor)]++
		}
	}
	return counts
}
