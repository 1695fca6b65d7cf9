package e2etest

import (
	"bytes"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/leaktest"
)

// network is Latchkey before a network of servers that tell the time by its
// clock.
type network struct {
	*latchtest.Server
	provider string
}

// sandboxed are the environments of a provider that a trial may link to.
var sandboxed = []latchkey.Environment{latchkey.Sandbox}

// clocked is a time of day that is told before the server is there.
type clocked struct{ now func() time.Time }

// Now tells the time.
func (c *clocked) Now() time.Time {
	if c.now == nil {
		return time.Now()
	}
	return c.now()
}

// startNetwork starts the app with the one provider.
func startNetwork(t *testing.T, options latchtest.Options, clock *clocked, provider connector.Connector) *network {
	t.Helper()
	options.Connectors = []connector.Connector{provider}
	n := &network{Server: latchtest.Start(t, options), provider: provider.Describe().ID}
	clock.now = n.Clock.Now
	return n
}

// open asks for a link, to a connection that is there if one is named, and goes
// to where the provider asks.
func (n *network) open(reference, connection string) *latchtest.Visit {
	n.Helper()
	body := map[string]any{
		"clientAppId": n.Trial.ClientApps["redirect"], "provider": n.provider, "clientReferenceId": reference,
		"redirectUrl": "http://127.0.0.1:9/callback",
	}
	if connection != "" {
		body["connectionId"] = connection
	}
	return n.Visit(n.Init(body).URL).Consent()
}

// landed demands that the person is back at the app, and returns the query.
func (n *network) landed(visit *latchtest.Visit, status string) url.Values {
	n.Helper()
	if visit.Landed == nil || visit.Landed.Query().Get("status") != status {
		n.Fatalf("landed at %v, want %s: %s; the log: %s", visit.Landed, status, visit.Text(), n.Log.Text())
	}
	return visit.Landed.Query()
}

// proxied calls the provider through the proxy.
func (n *network) proxied(status int, method, path, connection string, body any) latchtest.Answer {
	n.Helper()
	return n.Want(status, method, "/v2/access/proxy/"+path, body, "x-connection-id", connection)
}

// only returns the one connection, which must be active and the user's.
func (n *network) only(connection, user string) latchtest.Connection {
	n.Helper()
	list := n.Connections()
	if len(list) != 1 || list[0].ID != connection || list[0].Status != "active" || list[0].UserData.ID != user {
		n.Fatalf("connections %+v", list)
	}
	return list[0]
}

// mismatch demands that the page explains that another account came, and goes
// back with it.
func (n *network) mismatch(visit *latchtest.Visit) {
	n.Helper()
	if visit.Landed != nil {
		n.Fatalf("landed at %v", visit.Landed)
	}
	if code := n.landed(visit.Submit("continue"), "error").Get("error_code"); code != "account_mismatch" {
		n.Errorf("the error is %q", code)
	}
}

// disconnect deletes a connection.
func (n *network) disconnect(connection string) {
	n.Helper()
	n.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+connection, nil)
}

// nowhere searches the log and the database for the secrets, and for something
// that must be there, so that finding nothing means something.
func (n *network) nowhere(there string, secrets ...string) {
	n.Helper()
	places := map[string][]byte{"the log": []byte(n.Log.Text())}
	err := filepath.WalkDir(n.Data, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != "dev.json" {
			places[entry.Name()], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		n.Fatal(err)
	}
	found, sought := false, &leaktest.Secrets{}
	for _, secret := range secrets {
		sought.Add("secret", secret)
	}
	for place, content := range places {
		found = found || bytes.Contains(content, []byte(there))
		for _, finding := range sought.Find(content) {
			n.Errorf("in %s stands a %s", place, finding)
		}
	}
	if !found {
		n.Errorf("%q stands nowhere: the search is worth nothing", there)
	}
}
