package store

import (
	"fmt"

	"latchkey"
)

// moveClaim leaves one registrable domain and takes another for an
// organisation, after the change of the client app that makes it so; "" is
// none, and the same is to keep it. What is left stays claimed while a live
// client app of the organisation is under it.
//
// Both rows of the claims are locked, in order, before they are judged: whoever
// adds or removes an app there meanwhile waits, or is seen.
func moveClaim(tx *tx, organisationID, left, taken string) error {
	if left == taken {
		left = ""
	}
	if left != "" && (taken == "" || left < taken) {
		if err := lockClaim(tx, organisationID, left); err != nil {
			return err
		}
	}
	if taken != "" {
		if err := takeClaim(tx, organisationID, taken); err != nil {
			return err
		}
	}
	if left == "" {
		return nil
	}
	if err := lockClaim(tx, organisationID, left); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM domain_claims WHERE registrable = $1 AND organisation_id = $2 AND NOT EXISTS
		(SELECT 1 FROM client_apps WHERE registrable = $1 AND organisation_id = $2 AND environment = 'live')`,
		left, organisationID)
	if err != nil {
		return fmt.Errorf("give up the domain %s: %w", left, err)
	}
	return nil
}

func lockClaim(tx *tx, organisationID, registrable string) error {
	_, err := tx.exec(`UPDATE domain_claims SET organisation_id = organisation_id
		WHERE registrable = $1 AND organisation_id = $2`, registrable, organisationID)
	if err != nil {
		return fmt.Errorf("lock the claim of %s: %w", registrable, err)
	}
	return nil
}

func takeClaim(tx *tx, organisationID, registrable string) error {
	var owner string
	err := tx.row(`INSERT INTO domain_claims (registrable, organisation_id) VALUES ($1, $2)
		ON CONFLICT (registrable) DO UPDATE SET organisation_id = domain_claims.organisation_id RETURNING organisation_id`,
		registrable, organisationID).Scan(&owner)
	if err != nil {
		return fmt.Errorf("claim the domain %s: %w", registrable, err)
	}
	if owner != organisationID {
		return &latchkey.Error{
			Code: latchkey.Conflict, Field: "domain", Message: "the domain belongs to a client app of another organisation",
		}
	}
	return nil
}
