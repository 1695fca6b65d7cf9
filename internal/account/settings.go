package account

import (
	"cmp"
	"context"

	"golang.org/x/text/language"

	"latchkey"
)

// The bounds of an organisation's settings.
const (
	maxOrganisation = 100 // characters of its name
	maxLocale       = 35  // bytes of a language tag (RFC 5646, section 4.4.1)
	minExpiresIn    = 300 // seconds
	maxExpiresIn    = 3600
)

// standardExpiresIn is how long a session lives when nobody decided otherwise,
// in seconds.
const standardExpiresIn = 1800

// ExpiresIn returns how long the sessions of an organisation live that say
// nothing else, in seconds.
func ExpiresIn(defaults latchkey.Defaults) int { return cmp.Or(defaults.ExpiresIn, standardExpiresIn) }

// SettingsChange is what is asked of an organisation's settings; nil fields
// stay as they are.
type SettingsChange struct {
	Name      *string
	ExpiresIn *int
	Locale    *string // empty: what the browser asks for
	// VaultPlus and VaultPlusForNew are of the published API. They are off, and
	// can be said to be.
	VaultPlus       *bool
	VaultPlusForNew *bool
}

// Settings returns the caller's organisation.
func (a *Account) Settings(ctx context.Context, caller latchkey.Caller) (latchkey.Organisation, error) {
	return a.config.Settings.Settings(ctx, caller.OrganisationID)
}

// UpdateSettings changes the caller's organisation, for both environments, and
// returns it as it then is. A change of nothing leaves no trace.
func (a *Account) UpdateSettings(ctx context.Context, caller latchkey.Caller, asked SettingsChange,
) (latchkey.Organisation, error) {
	before, err := a.Settings(ctx, caller)
	if err != nil {
		return before, err
	}
	if err := checkSettings(asked); err != nil {
		return before, err
	}
	after := before
	var changed fields
	assign(&changed, "name", &after.Name, asked.Name)
	if asked.ExpiresIn != nil && *asked.ExpiresIn != ExpiresIn(before.Defaults) {
		assign(&changed, "defaults.expiresIn", &after.Defaults.ExpiresIn, asked.ExpiresIn)
	}
	assign(&changed, "defaults.locale", &after.Defaults.Locale, asked.Locale)
	if len(changed.names) == 0 {
		return before, nil
	}
	record, err := a.record(caller, latchkey.AuditSettingsUpdated, before.ID, changed.names)
	if err != nil {
		return before, err
	}
	if err := a.config.Settings.UpdateSettings(ctx, before, after, record); err != nil {
		return before, err
	}
	return after, nil
}

// CheckOrganisation returns the error of an organisation's name that can't be.
func CheckOrganisation(name string) error { return broken("name", textRule(name, maxOrganisation)) }

func checkSettings(asked SettingsChange) error {
	if asked.Name != nil {
		if err := CheckOrganisation(*asked.Name); err != nil {
			return err
		}
	}
	if asked.ExpiresIn != nil && (*asked.ExpiresIn < minExpiresIn || *asked.ExpiresIn > maxExpiresIn) {
		return latchkey.InvalidField("defaults.expiresIn", "must be 300 to 3600 seconds")
	}
	if asked.Locale != nil && *asked.Locale != "" {
		if _, err := language.Parse(*asked.Locale); err != nil || len(*asked.Locale) > maxLocale {
			return latchkey.InvalidField("defaults.locale", "must be a BCP 47 language tag")
		}
	}
	if asked.VaultPlus != nil && *asked.VaultPlus {
		return latchkey.InvalidField("vaultPlus.enabled", "must be false: there is no such thing here")
	}
	if asked.VaultPlusForNew != nil && *asked.VaultPlusForNew {
		return latchkey.InvalidField("vaultPlus.autoEnableForNewConnections", "must be false: there is no such thing here")
	}
	return nil
}
