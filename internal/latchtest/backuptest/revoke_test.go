package backuptest

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"latchkey/internal/latchtest/scaletest"
)

// revoked is what must never be valid again.
type revoked struct {
	keyID, key  string // of an API key, and its text
	deleted     linked // its connection was deleted
	invalidated linked // its connection was invalidated
	session     string // the secret of a link session that was ended
}

func TestWhatWasRevokedIsNeverValidAgain(t *testing.T) {
	for engine, database := range databases(t) {
		t.Run(engine, func(t *testing.T) {
			rounds := scaletest.Of(4, 60) // each puts five things at stake
			if engine == "PostgreSQL" {
				rounds = scaletest.Of(1, 12)
			}
			h := newHost(t, database())
			h.start()
			var all []revoked
			for n := range rounds {
				all = append(all, h.prepare(n))
			}
			file := filepath.Join(h.folder, "before.backup")
			h.mustRun("backup", "--to", file) // everything is valid in it
			valid := 0
			for _, stake := range all {
				h.revoke(stake)
				h.kill()
				h.start()
				valid += h.countValid(stake)
			}
			h.kill()
			clean := h.another(database())
			if output, err := clean.run("restore", "--from", file); err == nil {
				t.Errorf("a restore went on without knowing what was revoked: %s", output)
			}
			clean.adopt(h, "revocations.log")
			clean.mustRun("restore", "--from", file)
			clean.start()
			for _, stake := range all {
				valid += clean.countValid(stake)
			}
			fmt.Printf("RESULT D-6.%s %d 0\n", engine, valid)
			fmt.Printf("RESULT D-6.%s.n %d %d\n", engine, 5*rounds, 5*rounds)
			if valid > 0 {
				t.Errorf("%d of %d are valid again", valid, 2*5*rounds)
			}
			if status := clean.uses(clean.mustLink(9999).connection); status != http.StatusOK {
				t.Errorf("a new connection can't be used: %d", status)
			}
		})
	}
}

func TestRevocationsAreLearntFromTheOldDatabase(t *testing.T) {
	h := newHost(t, "")
	h.start()
	stake := h.prepare(1)
	file := filepath.Join(h.folder, "before.backup")
	h.mustRun("backup", "--to", file)
	h.revoke(stake)
	h.kill()
	clean := h.another("")
	clean.mustRun("restore", "--from", file, "--since-database", h.data(""))
	clean.start()
	if valid := clean.countValid(stake); valid != 0 {
		t.Errorf("%d are valid again", valid)
	}
	// What was revoked here is known to the next restore too.
	again := clean.another("")
	clean.kill()
	again.mustRun("restore", "--from", file, "--revocations", clean.data("revocations.log"))
	again.start()
	if valid := again.countValid(stake); valid != 0 {
		t.Errorf("%d are valid again after a second restore", valid)
	}
}

// prepare makes what is valid.
func (h *host) prepare(n int) revoked {
	h.Helper()
	created := decode[struct {
		ID  string `json:"id"`
		Key string `json:"key"`
	}](h, h.call(http.StatusCreated, "POST", "/v2/api-keys", `{"name":"of a backend","scopes":["ACCOUNT"]}`))
	stake := revoked{keyID: created.ID, key: created.Key, deleted: h.mustLink(10*n + 1), invalidated: h.mustLink(10*n + 2)}
	open, _, err := h.init(h.Context(), 10*n+3)
	if err != nil {
		h.Fatal(err)
	}
	stake.session = open.secret
	if valid := h.countValid(stake); valid != 5 {
		h.Fatalf("%d of 5 are valid", valid)
	}
	return stake
}

// revoke ends all of it: each end was acknowledged when it returns.
func (h *host) revoke(stake revoked) {
	h.Helper()
	h.call(http.StatusNoContent, "DELETE", "/v2/api-keys/"+stake.keyID, "")
	h.call(http.StatusOK, "DELETE", "/v2/account/connections/"+stake.deleted.connection, "")
	h.call(http.StatusOK, "POST", "/v2/account/connections/"+stake.invalidated.connection+"/invalidate", "")
	h.call(http.StatusNoContent, "DELETE", "/v2/link/"+stake.session, "")
}

// countValid counts what of it is valid: the key, two connections by use, the
// deleted one by being there, and the session.
func (h *host) countValid(stake revoked) int {
	h.Helper()
	valid := 0
	for _, is := range []bool{
		h.status("GET", "/v2/account/whoami", "apikey", stake.key) == http.StatusOK,
		h.uses(stake.deleted.connection) == http.StatusOK,
		h.uses(stake.invalidated.connection) == http.StatusOK,
		h.status("GET", "/v2/account/connections/"+stake.deleted.connection) == http.StatusOK,
		h.open(stake.session),
	} {
		if is {
			valid++
		}
	}
	return valid
}

// open reports whether the session of a secret can still become a connection.
func (h *host) open(secret string) bool {
	h.Helper()
	got, err := h.send(h.Context(), "GET", "/v2/link/"+secret, "", "")
	if err != nil {
		h.Fatal(err)
	}
	return bytes.Contains(got.body, []byte(`"status":"initialized"`))
}
