package auth_test

import (
	"net/http"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
)

func TestARevokedKeyIsDeadWithinASecond(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		s := latchtest.Start(t, options)
		s.Want(http.StatusOK, "GET", "/v2/account/whoami", nil)
		key, _, err := s.App.Store().APIKeyByHash(t.Context(), latchkey.HashSecret(s.Trial.APIKey))
		if err != nil {
			t.Fatal(err)
		}
		record := latchkey.AuditRecord{OrganisationID: key.OrganisationID, Action: latchkey.AuditKeyRevoked, Subject: key.ID, Detail: "{}"}
		err = s.App.Store().RevokeAPIKey(t.Context(), key.OrganisationID, latchkey.Sandbox, key.ID, s.Clock.Now(), record)
		if err != nil {
			t.Fatal(err)
		}
		s.Clock.Move(800 * time.Millisecond)
		for range 3 {
			s.Want(http.StatusUnauthorized, "GET", "/v2/account/whoami", nil)
		}
	})
}

func TestAKeyIsReadFromItsHeaderOnly(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	key := s.Trial.APIKey
	for name, c := range map[string]struct {
		path    string
		headers []string
		want    int
	}{
		"header":                               {"", nil, http.StatusOK},
		"bearer":                               {"", []string{"apikey", "", "Authorization", "Bearer " + key}, http.StatusOK},
		"bearer, lowercase":                    {"", []string{"apikey", "", "Authorization", "bearer " + key}, http.StatusOK},
		"nothing":                              {"", []string{"apikey", ""}, http.StatusUnauthorized},
		"query":                                {"?apikey=" + key, []string{"apikey", ""}, http.StatusUnauthorized},
		"cookie":                               {"", []string{"apikey", "", "Cookie", "apikey=" + key}, http.StatusUnauthorized},
		"basic":                                {"", []string{"apikey", "", "Authorization", "Basic " + key}, http.StatusUnauthorized},
		"a wrong header beside a right bearer": {"", []string{"apikey", "sk_sandbox_x", "Authorization", "Bearer " + key}, http.StatusUnauthorized},
	} {
		if got := s.Call("GET", "/v2/account/whoami"+c.path, nil, c.headers...).Status; got != c.want {
			t.Errorf("%s: status %d, want %d", name, got, c.want)
		}
	}
}
