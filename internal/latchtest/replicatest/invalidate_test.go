package replicatest

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/pgtest"
)

// obeyedWithin is how soon a change at one replica is obeyed by the others.
const obeyedWithin = time.Second

// A change is obeyed everywhere because word of it comes, or, where none does,
// because what is remembered is forgotten.
func TestAChangeAtOneReplicaIsObeyedByTheOthers(t *testing.T) {
	for name, listening := range map[string]bool{"listening": true, "deaf": false} {
		t.Run(name, func(t *testing.T) {
			direct := latchtest.NewPostgres(t)
			options := latchtest.Options{DatabaseURL: direct, Data: filepath.Join(t.TempDir(), "data")}
			there := latchtest.Start(t, options)
			way := pgtest.StartProxy(t, direct)
			options.DatabaseURL, options.DirectURL = direct, way.URL(databaseOf(t, direct))
			here := latchtest.Start(t, options)
			if !listening {
				way.Swallow(true)
				defer way.Swallow(false)
			}
			worst := max(revokeKey(there, here), suspendApp(there, here), disconnect(there, here))
			fmt.Printf("RESULT invalidation.%s.ms %d %d\n", name, worst.Milliseconds(), obeyedWithin.Milliseconds())
			if worst > obeyedWithin+control(here) {
				t.Errorf("a change was obeyed after %v", worst)
			}
		})
	}
}

// until returns how long it takes from now until here answers with the status.
func until(here *latchtest.Server, status int, method, path string, body any, headers ...string) time.Duration {
	here.Helper()
	began := time.Now()
	for here.Call(method, path, body, headers...).Status != status {
		if time.Since(began) > 10*time.Second {
			here.Fatalf("%s %s was never answered with %d", method, path, status)
		}
	}
	return time.Since(began)
}

// control is what one request takes on this machine now.
func control(here *latchtest.Server) time.Duration {
	began := time.Now()
	here.Want(http.StatusOK, "GET", "/v2/account/connections", nil)
	return time.Since(began)
}

func revokeKey(there, here *latchtest.Server) time.Duration {
	type made struct {
		ID  string `json:"id"`
		Key string `json:"key"`
	}
	key := latchtest.Decode[made](there, there.Want(http.StatusCreated, "POST", "/v2/api-keys",
		map[string]any{"name": "second", "scopes": []string{"ACCOUNT"}}))
	here.Want(http.StatusOK, "GET", "/v2/account/whoami", nil, "apikey", key.Key)
	there.Want(http.StatusNoContent, "DELETE", "/v2/api-keys/"+key.ID, nil)
	return until(here, http.StatusUnauthorized, "GET", "/v2/account/whoami", nil, "apikey", key.Key)
}

func suspendApp(there, here *latchtest.Server) time.Duration {
	app := there.Trial.ClientApps[latchkey.AppRedirect]
	body := map[string]any{"clientAppId": app, "provider": "sandbox"}
	here.Want(http.StatusOK, "POST", "/v2/link/init", body)
	there.Want(http.StatusOK, "PATCH", "/v2/client-apps/"+app, map[string]any{"suspended": true})
	took := until(here, http.StatusForbidden, "POST", "/v2/link/init", body)
	there.Want(http.StatusOK, "PATCH", "/v2/client-apps/"+app, map[string]any{"suspended": false})
	return max(took, until(here, http.StatusOK, "POST", "/v2/link/init", body))
}

func disconnect(there, here *latchtest.Server) time.Duration {
	l := newLoad(there.TB, there.Trial.APIKey, there.URL)
	must(there.TB, l.link(there.Context()))
	self := []string{"x-connection-id", l.connections[0]}
	here.Want(http.StatusOK, "GET", "/v2/access/self", nil, self...)
	there.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+l.connections[0], nil)
	return until(here, http.StatusUnauthorized, "GET", "/v2/access/self", nil, self...)
}
