package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/store/storetest"
	"latchkey/internal/vault/seal"
)

// shredded is how many connections are deleted in the test of that.
const shredded = 12

// What is deleted opens nowhere: not from the database's files once its log is
// emptied, not from a copy of its bytes once the data key is replaced, and not
// from a backup once the ring has been rotated.
func TestWhatIsDeletedOpensNowhere(t *testing.T) {
	b := open(t, latchtest.Options{}, nil)
	organisation := b.caller.OrganisationID
	taken := map[string][]byte{} // what a thief has copied, by connection
	for i := range shredded {
		id := b.link(fmt.Sprintf("gone-%d", i))
		_, sealed, err := b.App.Store().Credential(t.Context(), organisation, b.caller.Environment, id)
		if err != nil {
			t.Fatal(err)
		}
		taken[id] = sealed.Bytes
	}
	backup := filepath.Join(t.TempDir(), "latchkey.db")
	b.exec("VACUUM INTO '" + backup + "'")
	for id := range taken {
		b.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+id, nil)
	}
	raw := b.raw()
	latchtest.Eventually(t, "the provider has confirmed every end", func() bool {
		return raw.Number("SELECT COUNT(*) FROM revocations") == 0
	})
	if err := b.App.Store().Scrub(t.Context()); err != nil {
		t.Fatal(err)
	}
	inFiles := b.countIn(taken, "latchkey.db", "latchkey.db-wal")
	b.Clock.Move(12 * time.Hour)
	b.tend() // another data key
	b.Clock.Move(time.Hour)
	keys := b.tend() // the old one is destroyed: 13 hours have passed
	live := 0
	for id, sealed := range taken {
		if _, err := keys.Open(credentialAt(organisation, id), sealed); !errors.Is(err, seal.ErrOpen) {
			live++
		}
	}
	inBackup := b.openedIn(backup, taken)
	if inBackup != shredded {
		t.Errorf("before the rotation %d of %d open from the backup: it is no backup", inBackup, shredded)
	}
	if err := b.keysOf(b.ring()).Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.tend()
	inBackup = b.openedIn(backup, taken)
	fmt.Printf("RESULT V-10.in_files %d of %d 0\nRESULT V-10.live_after_13h %d of %d 0\nRESULT V-10.in_backups_after_rotation %d of %d 0\n",
		inFiles, shredded, live, shredded, inBackup, shredded)
	if inFiles+live+inBackup != 0 {
		t.Errorf("%d are in the files, %d open, %d open from the backup", inFiles, live, inBackup)
	}
	if err := b.use(b.keysOf(b.ring())); err != nil {
		t.Errorf("what is not deleted: %v", err)
	}
}

// countIn returns how many of the sealed values lie in the files as they are.
func (b *bench) countIn(taken map[string][]byte, names ...string) int {
	b.Helper()
	found := 0
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(b.Data, name))
		if err != nil {
			b.Fatal(err)
		}
		for _, sealed := range taken {
			if bytes.Contains(text, sealed) {
				found++
			}
		}
	}
	return found
}

// openedIn returns how many of the values open with the data keys that a backup
// holds, by the key file as it is now.
func (b *bench) openedIn(path string, taken map[string][]byte) int {
	b.Helper()
	kept := storetest.Raw(b.TB, "", path)
	rows := map[int64]latchkey.DataKey{}
	kept.Each(func(scan func(...any) error) error {
		var row latchkey.DataKey
		defer func() { rows[row.ID] = row }()
		return scan(&row.ID, &row.OrganisationID, &row.Wrapped)
	}, "SELECT id, organisation_id, wrapped FROM data_keys")
	opened := 0
	kept.Each(func(scan func(...any) error) error {
		var id string
		var sealed []byte
		if err := scan(&id, &sealed); err != nil || taken[id] == nil {
			return err
		}
		keyID, err := seal.DataKeyOf(sealed)
		if err == nil && opensBy(b.Context(), b.ring(), rows[keyID], credentialAt(b.caller.OrganisationID, id), sealed) {
			opened++
		}
		return err
	}, "SELECT id, credential FROM connections")
	return opened
}

// opensBy opens as somebody would who has the key file and a wrapped data key.
func opensBy(ctx context.Context, ring *seal.Ring, row latchkey.DataKey, at seal.Binding, sealed []byte) bool {
	material, err := ring.Unwrap(ctx, seal.Binding{
		Organisation: row.OrganisationID, Subject: strconv.FormatInt(row.ID, 10), Field: "data key", Schema: 1,
	}, row.Wrapped)
	if err != nil {
		return false
	}
	key, err := seal.NewDataKey(row.ID, material)
	if err != nil {
		return false
	}
	_, err = key.Open(at, sealed)
	return err == nil
}

func TestADeletionHasTheDataKeyReplacedSoon(t *testing.T) {
	b := open(t, latchtest.Options{Idle: true}, nil)
	before, err := b.App.Store().ActiveDataKey(t.Context(), b.caller.OrganisationID)
	if err != nil {
		t.Fatal(err)
	}
	b.Want(http.StatusOK, "DELETE", "/v2/account/connections/"+b.link("gone"), nil)
	after, err := b.App.Store().ActiveDataKey(t.Context(), b.caller.OrganisationID)
	if err != nil || after.ReplaceAt.Sub(b.Clock.Now()) > 12*time.Hour || before.ReplaceAt.Sub(b.Clock.Now()) < 29*24*time.Hour {
		t.Errorf("it is replaced at %v, was at %v: %v", after.ReplaceAt, before.ReplaceAt, err)
	}
}
