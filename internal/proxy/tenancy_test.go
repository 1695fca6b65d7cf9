package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
)

// The size of the tenancy matrix.
const (
	tenants              = 6
	connectionsPerTenant = 3
)

// guesses are ids that somebody might try who knows one.
func guesses(id string) []string {
	return []string{
		id, strings.ToLower(id), strings.ToUpper(id), id + "0", id[:len(id)-1], "conn_" + id, id[len("conn_"):],
		id + "%00", id + " ", " " + id, "conn_%", "conn_*", id + "/../" + id,
	}
}

func TestNoKeyReachesAnotherTenantsConnection(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	var sandbox, live []string
	owned := make([][]string, tenants)
	for i := range tenants {
		one, other := tenant(s, latchkey.AllScopes()...)
		sandbox, live = append(sandbox, one), append(live, other)
		for j := range connectionsPerTenant {
			owned[i] = append(owned[i], linked(s, one, fmt.Sprintf("user%d", j)))
		}
	}
	// The same people are linked everywhere: only the organisation differs.
	tried, crossed := 0, 0
	try := func(key, id string, allowed bool) {
		path := "/v2/access/proxy/x"
		if tried++; tried%7 == 0 {
			path = "/v2/access/self"
		}
		answer := s.Call("GET", path, nil, "apikey", key, "x-connection-id", id)
		switch {
		case allowed && answer.Status != http.StatusOK:
			t.Errorf("the owner is refused: %d %s", answer.Status, answer.Body)
		case !allowed && (answer.Status < 400 || answer.Status >= 500):
			crossed++
		}
	}
	for i := range tenants {
		for j := range tenants {
			for _, id := range owned[j] {
				for n, guess := range guesses(id) {
					exact := n == 0 || strings.TrimSpace(guess) == id // HTTP knows no spaces around a value
					try(sandbox[i], guess, exact && i == j)
				}
				try(live[i], id, false)
			}
		}
	}
	fmt.Printf("RESULT P-7.linked %d of %d 0\n", crossed, tried)
	if crossed != 0 {
		t.Errorf("%d of %d guesses reached a connection", crossed, tried)
	}
	if got, most := len(seen.all()), tenants*connectionsPerTenant*3; got > most {
		t.Errorf("%d requests reached the provider, the owners made %d", got, most)
	}
}

func TestARecycledIDIsNobodys(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	listen(s, nil)
	key, _ := tenant(s, latchkey.AllScopes()...)
	old := linked(s, key, "ada")
	s.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+old, nil, "apikey", key)
	again := linked(s, key, "ada")
	if again == old {
		t.Fatal("the id was used again")
	}
	wantProblem(s, s.Call("GET", "/v2/access/proxy/x", nil, "apikey", key, "x-connection-id", old),
		http.StatusUnauthorized, latchkey.SessionNotProvided)
	s.Want(http.StatusOK, "GET", "/v2/access/proxy/x", nil, "apikey", key, "x-connection-id", again)
}
