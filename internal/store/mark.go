package store

import (
	"crypto/sha256"
	"fmt"
)

// A mark is the digest of a connection's sealed credential, kept in another
// table: an old row of the connection that is put back differs from it, and the
// vault opens it no more.

// markCredential keeps the digest of the credential that was written.
func markCredential(tx *tx, connectionID string, sealed []byte) error {
	if sealed == nil {
		return forgetMarks(tx, connectionID)
	}
	digest := sha256.Sum256(sealed)
	_, err := tx.exec(`INSERT INTO credential_marks (connection_id, digest) VALUES ($1, $2)
		ON CONFLICT (connection_id) DO UPDATE SET digest = excluded.digest`, connectionID, digest[:])
	if err != nil {
		return fmt.Errorf("mark the credential of %s: %w", connectionID, err)
	}
	return nil
}

// markRefreshed keeps the digest of a credential that has followed another,
// which may come back.
func markRefreshed(tx *tx, connectionID string, sealed []byte) error {
	if _, err := tx.exec(`UPDATE credential_marks SET previous_digest = digest WHERE connection_id = $1`, connectionID); err != nil {
		return fmt.Errorf("mark the credential of %s: %w", connectionID, err)
	}
	return markCredential(tx, connectionID, sealed)
}

// markPrevious keeps the digest of the credential that may come back.
func markPrevious(tx *tx, connectionID string, sealed []byte) error {
	digest := sha256.Sum256(sealed)
	_, err := tx.exec(`UPDATE credential_marks SET previous_digest = $2 WHERE connection_id = $1`, connectionID, digest[:])
	if err != nil {
		return fmt.Errorf("mark the credential of %s: %w", connectionID, err)
	}
	return nil
}

// markRestored tells that the credential before has come back.
func markRestored(tx *tx, connectionID string) error {
	_, err := tx.exec(`UPDATE credential_marks SET digest = previous_digest, previous_digest = NULL
		WHERE connection_id = $1 AND previous_digest IS NOT NULL`, connectionID)
	if err != nil {
		return fmt.Errorf("mark the credential of %s: %w", connectionID, err)
	}
	return nil
}

// forgetMarks forgets the digests of a connection without a credential.
func forgetMarks(tx *tx, connectionID string) error {
	if _, err := tx.exec(`DELETE FROM credential_marks WHERE connection_id = $1`, connectionID); err != nil {
		return fmt.Errorf("forget the mark of %s: %w", connectionID, err)
	}
	return nil
}
