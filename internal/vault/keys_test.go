package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/store/storetest"
	"latchkey/internal/vault"
	"latchkey/internal/vault/seal"
)

// ring opens the app's key file, as another replica would.
func (b *bench) ring() *seal.Ring {
	b.Helper()
	ring, err := seal.OpenFile(filepath.Join(b.Data, "vault.key"))
	if err != nil {
		b.Fatal(err)
	}
	return ring
}

// raw opens the app's database beside it.
func (b *bench) raw() *storetest.Database {
	b.Helper()
	return storetest.Raw(b.TB, b.DatabaseURL, filepath.Join(b.Data, "latchkey.db"))
}

// exec changes rows behind the app's back.
func (b *bench) exec(query string, args ...any) {
	b.Helper()
	b.raw().Exec(query, args...)
}

// stored returns the sealed credential of the bench's connection.
func (b *bench) stored() []byte {
	b.Helper()
	_, sealed, err := b.App.Store().Credential(b.Context(), b.caller.OrganisationID, b.caller.Environment, b.connection)
	if err != nil {
		b.Fatal(err)
	}
	return sealed.Bytes
}

// tend does what there is to do about keys, with keys that are read anew.
func (b *bench) tend() *vault.Keys {
	b.Helper()
	keys := b.keysOf(b.ring())
	if err := keys.Tend(b.Context()); err != nil {
		b.Fatal(err)
	}
	return keys
}

// use opens the credential by the keys, and by the running app.
func (b *bench) use(keys *vault.Keys) error {
	b.Helper()
	config := b.config
	config.Keys = keys
	opened, err := vault.New(config).Open(b.Context(), b.caller, b.connection, vault.PurposeProxy)
	if err != nil {
		return err
	}
	defer opened.Close()
	if string(opened.Credential) != b.token {
		return errors.New("it is another credential")
	}
	if answer := b.Call("GET", "/v2/access/proxy/me", nil, "x-connection-id", b.connection); answer.Status != http.StatusOK {
		return fmt.Errorf("the app answers %d: %s", answer.Status, answer.Body)
	}
	return nil
}

// settled wants no old key to be left.
func (b *bench) settled(ringKeys int) {
	b.Helper()
	low, high := seal.RingPrefixes()
	ring := b.ring()
	primary := fmt.Sprintf("file:%08x", ring.PrimaryID())
	use, err := b.App.Store().KeyUse(b.Context(), primary, low, high, vault.PrefixesOf)
	if err != nil || use.WrappedElse+use.SealedByOld+use.SealedByRing != 0 || len(ring.KeyIDs()) != ringKeys {
		b.Errorf("left are %+v with %d keys in the file, %v", use, len(ring.KeyIDs()), err)
	}
}

// credentialAt is where a connection's credential belongs.
func credentialAt(organisation, connection string) seal.Binding {
	return seal.Binding{Organisation: organisation, Subject: connection, Field: "credential", Schema: 1}
}

func TestTheRingRotatesUnderRunningReplicas(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		b := open(t, options, nil)
		replica := b.keysOf(b.ring()) // has its keys in memory, and reads the file no more by itself
		if err := b.use(replica); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := b.keysOf(b.ring()).Rotate(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.tend()
			b.Clock.Move(11 * time.Minute) // the keys in memory are read again
			if err := b.use(replica); err != nil {
				t.Errorf("after a rotation: %v", err)
			}
			b.link("someone") // the app, which has not read the file either, seals
			b.settled(1)
		}
	})
}

func TestWhatReleasesBeforeSealedOpensAndIsSealedAnew(t *testing.T) {
	b := open(t, latchtest.Options{Idle: true}, nil)
	ring := b.ring()
	legacy, err := ring.Seal(credentialAt(b.caller.OrganisationID, b.connection), []byte(b.token))
	if err != nil {
		t.Fatal(err)
	}
	fingerprint, err := ring.Seal(vault.FingerprintBinding, []byte("the same in every release, 32 byt"))
	if err != nil {
		t.Fatal(err)
	}
	b.exec("UPDATE connections SET credential = $1 WHERE id = $2", legacy, b.connection)
	b.exec("DELETE FROM credential_marks")
	b.exec("UPDATE meta SET value = $1 WHERE name = 'fingerprint_key'", fingerprint)
	if err := b.use(b.keysOf(ring)); err != nil {
		t.Errorf("as it was: %v", err)
	}
	keys := b.tend()
	if _, err := seal.DataKeyOf(b.stored()); err != nil {
		t.Error("it was not sealed anew")
	}
	if err := b.use(keys); err != nil {
		t.Errorf("sealed anew: %v", err)
	}
	kept, err := b.App.Store().FingerprintKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := keys.Open(vault.FingerprintBinding, kept); err != nil || !bytes.HasPrefix(opened, []byte("the same")) {
		t.Errorf("the fingerprint key is %q, %v", opened, err)
	}
	b.settled(1)
	records, err := b.App.Store().AuditOf(t.Context(), b.caller.OrganisationID, "the ring")
	if err != nil || len(records) != 1 || records[0].Detail != `{"count":"1","place":"credential","purpose":"reseal"}` {
		t.Errorf("the record of that is %+v, %v", records, err)
	}
}

func TestADataKeyIsReplacedWhenItsTimeIsOver(t *testing.T) {
	b := open(t, latchtest.Options{Idle: true}, nil)
	before := b.stored()
	first, err := seal.DataKeyOf(before)
	if err != nil {
		t.Fatal(err)
	}
	b.Clock.Move(30 * 24 * time.Hour)
	keys := b.tend()
	second, err := seal.DataKeyOf(b.stored())
	if err != nil || second == first {
		t.Fatalf("it is still sealed by the first key: %v", err)
	}
	if _, err := keys.Open(credentialAt(b.caller.OrganisationID, b.connection), before); err != nil {
		t.Errorf("what a replica may be about to commit: %v", err)
	}
	b.Clock.Move(time.Hour)
	keys = b.tend()
	if _, err := b.App.Store().DataKey(t.Context(), first); latchkey.CodeOf(err) != latchkey.NotFound {
		t.Errorf("the first key is still there: %v", err)
	}
	if _, err := keys.Open(credentialAt(b.caller.OrganisationID, b.connection), before); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("what the first key sealed: %v", err)
	}
	if err := b.use(keys); err != nil {
		t.Error(err)
	}
}

func TestADataKeyRetiresLongBeforeItsSealsAreTooMany(t *testing.T) {
	b := open(t, latchtest.Options{Idle: true}, nil)
	first, err := seal.DataKeyOf(b.stored())
	if err != nil {
		t.Fatal(err)
	}
	beyond := 0
	for i, seals := range []int64{1<<32 - 1, 1<<31 - 1, 1 << 31} {
		b.exec("UPDATE data_keys SET seals = $1 WHERE organisation_id = $2 AND retired_at = 0", seals, b.caller.OrganisationID)
		sealed, err := b.keysOf(b.ring()).Seal(credentialAt(b.caller.OrganisationID, b.connection), []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		next, err := seal.DataKeyOf(sealed)
		if err != nil || next == first {
			beyond++
			t.Errorf("turn %d: after %d seals the key seals on: %v", i, seals, err)
		}
		first = next
	}
	fmt.Printf("RESULT V-2.seals_by_a_used_up_key %d 0\n", beyond)
}

func TestAnOldRowThatIsPutBackDoesNotOpen(t *testing.T) {
	b := open(t, latchtest.Options{Idle: true}, nil)
	opened, accepted := 0, 0
	const rounds = 20
	for i := range rounds {
		old := b.stored()
		holding, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.vault.Keep(t.Context(), holding, fmt.Appendf(nil, "newer %d", i)); err != nil {
			t.Fatal(err)
		}
		newer := b.stored()
		b.exec("UPDATE connections SET credential = $1 WHERE id = $2", old, b.connection)
		got, err := b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy)
		if got != nil || !errors.Is(err, seal.ErrOpen) {
			opened++
		}
		b.exec("UPDATE connections SET credential = $1 WHERE id = $2", newer, b.connection)
		if got, err = b.vault.Open(t.Context(), b.caller, b.connection, vault.PurposeProxy); err == nil {
			accepted++
			got.Close()
		}
	}
	fmt.Printf("RESULT V-1.old_rows_opened %d of %d 0\n", opened, rounds)
	if opened != 0 || accepted != rounds {
		t.Errorf("%d old rows opened, and %d of %d newest", opened, accepted, rounds)
	}
}

func TestTheUpkeepPassesByWhatDoesNotOpen(t *testing.T) {
	b := open(t, latchtest.Options{Idle: true}, nil)
	spoilt := b.link("spoilt")
	changed := b.stored()
	b.exec("UPDATE connections SET credential = (SELECT credential FROM connections WHERE id = $1) WHERE id = $2", b.connection, spoilt)
	b.Clock.Move(30 * 24 * time.Hour)
	keys := b.tend()
	if err := b.use(keys); err != nil || bytes.Equal(changed, b.stored()) {
		t.Errorf("the good one was not sealed anew: %v", err)
	}
	id, err := seal.DataKeyOf(changed)
	if err != nil {
		t.Fatal(err)
	}
	b.Clock.Move(2 * time.Hour)
	if err := keys.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.App.Store().DataKey(t.Context(), id); err != nil {
		t.Errorf("the key of one that does not open is gone: %v", err)
	}
}

func TestAKeyOfAnotherOrganisationOpensNothing(t *testing.T) {
	b := open(t, latchtest.Options{Idle: true}, nil)
	keys := b.keysOf(b.ring())
	sealed, err := keys.Seal(credentialAt("org_other", b.connection), []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // read, and from memory
		if _, err := keys.Open(credentialAt(b.caller.OrganisationID, b.connection), sealed); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("it opens: %v", err)
		}
	}
	b.exec("UPDATE data_keys SET organisation_id = 'org_moved' WHERE organisation_id = 'org_other'")
	if _, err := b.keysOf(b.ring()).Open(credentialAt("org_moved", b.connection), sealed); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("a key whose row was moved to another organisation: %v", err)
	}
}
