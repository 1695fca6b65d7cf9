package proxy_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/scaletest"
)

// The matrix of keys and connections.
const (
	matrixTenants     = 20
	matrixConnections = 50
)

// owned is a tenant with connections that are in the database alone: their
// credentials can't be opened, which only an owner ever finds out.
type owned struct {
	key string
	ids []string
}

// own makes a tenant with connections.
func own(s *latchtest.Server) owned {
	s.Helper()
	key, _ := tenant(s, latchkey.AllScopes()...)
	store := s.App.Store()
	found, _, err := store.APIKeyByHash(s.Context(), latchkey.HashSecret(key))
	if err != nil {
		s.Fatal(err)
	}
	tenant := owned{key: key}
	for i := range matrixConnections {
		name := fmt.Sprintf("user%d", i)
		connection := latchkey.Connection{
			ID: latchkey.NewID(rand.Reader, latchkey.PrefixConnection), OrganisationID: found.OrganisationID, Environment: found.Environment,
			ClientAppID: latchkey.NewID(rand.Reader, latchkey.PrefixClientApp), Provider: latchtest.ProviderID, Status: latchkey.ConnectionActive, Version: 1,
			User: latchkey.UserData{ID: name, Name: name, Username: name}, CreatedAt: s.Clock.Now(), UpdatedAt: s.Clock.Now(),
		}
		err := store.WriteConnection(s.Context(), connection, latchkey.SealedCredential{Bytes: []byte("not sealed")}, latchkey.Consequences{})
		if err != nil {
			s.Fatal(err)
		}
		tenant.ids = append(tenant.ids, connection.ID)
	}
	return tenant
}

func TestEveryKeyOpensItsOwnConnectionsAlone(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{Idle: true})
	seen := listen(s, nil)
	var tenants []owned
	for range matrixTenants {
		tenants = append(tenants, own(s))
	}
	handler := s.App.Handler()
	ask := func(key, id string) int {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v2/access/proxy/x", nil)
		request.Header.Set("apikey", key)
		request.Header["X-Connection-Id"] = []string{id}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		return answer.Code
	}
	others := scaletest.Of(4, matrixTenants-1) // tenants that try each id
	variants := scaletest.Of(1, 6)             // spellings that they try
	tried, crossed := 0, 0
	for i, owner := range tenants {
		for n, id := range owner.ids {
			if status := ask(owner.key, id); status != http.StatusInternalServerError {
				t.Fatalf("the owner is answered %d: its credential can't be opened", status)
			}
			for other := range others {
				key := tenants[(i+1+(n+other)%(matrixTenants-1))%matrixTenants].key
				for _, guess := range guesses(id)[:variants] {
					tried++
					if status := ask(key, guess); status != http.StatusUnauthorized {
						crossed++
						t.Errorf("another's key is answered %d", status)
					}
				}
			}
		}
	}
	fmt.Printf("RESULT P-7 %d 0\nRESULT P-7.n %d %d\n", crossed, tried, matrixTenants*matrixConnections*others*variants)
	if crossed != 0 || len(seen.all()) != 0 {
		t.Errorf("%d of %d crossed, %d reached the provider", crossed, tried, len(seen.all()))
	}
}
