package vault_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/vault"
	"latchkey/internal/vault/seal"
)

// contested is a store in which another process always has just put a key in
// the place of the one that was to be taken, until it leaves off.
type contested struct {
	vault.KeyStore
	left int
}

// TakeSeals misses the key, as a statement does that waited for the row of one
// that retires.
func (c *contested) TakeSeals(ctx context.Context, organisationID string, seals, most int64) (latchkey.DataKey, error) {
	if c.left--; c.left >= 0 {
		return latchkey.DataKey{}, latchkey.Errorf(latchkey.NotFound, "no such data key")
	}
	return c.KeyStore.TakeSeals(ctx, organisationID, seals, most)
}

func TestAKeyThatIsReplacedWhileItIsTakenIsTakenAgain(t *testing.T) {
	b := open(t, latchtest.Options{}, nil)
	place := seal.Binding{Organisation: b.caller.OrganisationID, Subject: "ls_1", Field: "flow", Schema: 1}
	for misses, sealed := range map[int]bool{0: true, 1: true, 2: true, 3: true, 1000: false} {
		keys := vault.NewKeys(vault.KeysConfig{
			Store: &contested{b.App.Store(), misses}, Ring: b.ring(), Now: b.Clock.Now, Random: rand.Reader,
			Log: slog.New(slog.DiscardHandler),
		})
		if _, err := keys.Seal(place, []byte("x")); (err == nil) != sealed {
			t.Errorf("after %d misses: %v", misses, err)
		}
	}
}
