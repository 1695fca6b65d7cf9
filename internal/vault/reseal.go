package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/vault/seal"
)

// resealBatch is how many secrets are sealed anew in one step.
const resealBatch = 50

// PurposeReseal is the purpose of opening a secret to seal it by another key.
const PurposeReseal Purpose = "reseal"

// ValueStore is where sealed secrets are.
type ValueStore interface {
	SealedValues(ctx context.Context, place latchkey.SealedPlace, low, high []byte, limit int) ([]latchkey.SealedValue, error)
	ReplaceSealed(ctx context.Context, changes []latchkey.SealedChange) error
	FingerprintKey(ctx context.Context) ([]byte, error)
	ReplaceFingerprintKey(ctx context.Context, before, sealed []byte) error
	RecordAudit(ctx context.Context, record latchkey.AuditRecord) error
}

// reseal seals some of the secrets anew that begin from low and before high,
// and returns how many. One that doesn't open is logged, left where it is, and
// keeps its key alive.
func (k *Keys) reseal(ctx context.Context, by string, low, high []byte) (int, error) {
	done := 0
	for _, place := range latchkey.SealedPlaces() {
		k.mu.Lock()
		limit := resealBatch + len(k.unreadable)
		k.mu.Unlock()
		values, err := k.config.Values.SealedValues(ctx, place, low, high, limit)
		if err != nil {
			return done, err
		}
		count, err := k.resealValues(ctx, by, values)
		if done += count; err != nil {
			return done, err
		}
	}
	return done, nil
}

// resealValues seals values of one place anew. That they are opened is on
// record before.
func (k *Keys) resealValues(ctx context.Context, by string, values []latchkey.SealedValue) (int, error) {
	readable := values[:0]
	k.mu.Lock()
	for _, value := range values {
		if !k.unreadable[string(value.Bytes)] {
			readable = append(readable, value)
		}
	}
	k.mu.Unlock()
	if len(readable) == 0 {
		return 0, nil
	}
	if err := k.recordReseal(ctx, by, readable); err != nil {
		return 0, err
	}
	var changes []latchkey.SealedChange
	for _, value := range readable {
		after, err := k.sealAnew(bindingOf(value), value.Bytes)
		if errors.Is(err, seal.ErrOpen) {
			k.setAside(ctx, value)
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("seal %s of %s anew: %w", value.Place, value.Subject, err)
		}
		changes = append(changes, latchkey.SealedChange{SealedValue: value, After: after})
	}
	if len(changes) == 0 {
		return 0, nil
	}
	return len(changes), k.config.Values.ReplaceSealed(ctx, changes)
}

// sealAnew opens sealed bytes and seals what was in them by the key that seals.
func (k *Keys) sealAnew(b seal.Binding, sealed []byte) ([]byte, error) {
	secret, err := k.Open(b, sealed)
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	return k.Seal(b, secret)
}

// setAside remembers a value that doesn't open, so that others get their turn.
func (k *Keys) setAside(ctx context.Context, value latchkey.SealedValue) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.unreadable[string(value.Bytes)] = true
	k.config.Log.ErrorContext(ctx, "a secret does not open: it was changed, or put where it doesn't belong",
		slog.String("place", string(value.Place)), slog.String("subject", value.Subject))
}

// recordReseal records that values are opened, one record for each organisation
// and environment.
func (k *Keys) recordReseal(ctx context.Context, by string, values []latchkey.SealedValue) error {
	type owner struct {
		organisationID string
		environment    latchkey.Environment
	}
	counts := map[owner]int{}
	for _, value := range values {
		counts[owner{value.OrganisationID, value.Environment}]++
	}
	for owner, count := range counts {
		detail, err := json.Marshal(map[string]string{
			"purpose": string(PurposeReseal), "place": string(values[0].Place), "count": strconv.Itoa(count),
		}, json.Deterministic(true))
		if err != nil {
			return fmt.Errorf("encode audit record: %w", err)
		}
		err = k.config.Values.RecordAudit(ctx, latchkey.AuditRecord{
			OrganisationID: owner.organisationID, Environment: owner.environment, Actor: system,
			Action: latchkey.AuditCredentialOpened, Subject: by, Detail: string(detail), CreatedAt: k.config.Now(),
		})
		if err != nil {
			return fmt.Errorf("record what is sealed anew: %w", err)
		}
	}
	return nil
}

// resealFingerprint seals the key of fingerprints anew, if a release before
// data keys sealed it.
func (k *Keys) resealFingerprint(ctx context.Context) error {
	sealed, err := k.config.Values.FingerprintKey(ctx)
	if err != nil || sealed == nil {
		return err
	}
	if _, headless := seal.KeyIDOf(sealed); headless != nil {
		return nil
	}
	after, err := k.sealAnew(FingerprintBinding, sealed)
	if err != nil {
		return fmt.Errorf("seal the fingerprint key anew: %w", err)
	}
	return k.config.Values.ReplaceFingerprintKey(ctx, sealed, after)
}

// FingerprintBinding is where the key of fingerprints belongs.
var FingerprintBinding = seal.Binding{Organisation: "latchkey", Subject: "fingerprint", Field: "key", Schema: 1}

// bindingOf is where a value belongs.
func bindingOf(value latchkey.SealedValue) seal.Binding {
	switch value.Place {
	case latchkey.PlaceFlow:
		return flowBinding(value.OrganisationID, value.Subject)
	case latchkey.PlaceClientSecret:
		return clientSecretBinding(value.OrganisationID, value.Subject)
	case latchkey.PlaceEndpointSecret, latchkey.PlacePreviousSecret:
		return endpointBinding(value.OrganisationID, value.Subject)
	}
	return credentialBinding(value.OrganisationID, value.Subject)
}
