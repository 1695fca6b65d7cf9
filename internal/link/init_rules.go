package link

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"

	"latchkey"
)

// The bounds of what init takes.
const (
	maxReference     = 255 // characters
	minExpiresIn     = 300 // seconds
	maxExpiresIn     = 3600
	maxMetadata      = 20
	maxMetadataKey   = 64  // characters
	maxMetadataValue = 512 // characters
	maxPermissions   = 100
	maxCity          = 100 // characters
)

// subdivision is the part of an ISO 3166-2 code after the dash.
var subdivision = regexp.MustCompile(`^[A-Z0-9]{1,3}$`)

// validate checks what does not depend on the client app.
func (r InitRequest) validate() error {
	for _, check := range []func(InitRequest) error{
		validateIDs, validateReference, validateMode, validateLife, validateLocale, validateMetadata, validateGeolocation,
	} {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

func validateIDs(r InitRequest) error {
	if r.ClientAppID != "" && !latchkey.ValidID(r.ClientAppID, latchkey.PrefixClientApp) {
		return latchkey.InvalidField("clientAppId", "must look like app_… with letters and digits")
	}
	if r.ConnectionID != "" && !latchkey.ValidID(r.ConnectionID, latchkey.PrefixConnection) {
		return latchkey.InvalidField("connectionId", "must look like conn_… with letters and digits")
	}
	if len(r.Permissions) > maxPermissions {
		return latchkey.InvalidField("permissions", "has more than 100 entries")
	}
	return nil
}

func validateReference(r InitRequest) error {
	if utf8.RuneCountInString(r.ClientReferenceID) > maxReference || strings.Contains(r.ClientReferenceID, "\x00") {
		return latchkey.InvalidField("clientReferenceId", "must have 1 to 255 characters, none of them NUL")
	}
	return nil
}

func validateMode(r InitRequest) error {
	if !slices.Contains([]string{"", "redirect", "embed", "hosted", "whitelabel"}, r.ModeHint) {
		return latchkey.InvalidField("mode", "must be redirect, embed, hosted or whitelabel")
	}
	return nil
}

func validateLife(r InitRequest) error {
	if r.ExpiresIn != 0 && (r.ExpiresIn < minExpiresIn || r.ExpiresIn > maxExpiresIn) {
		return latchkey.InvalidField("expiresIn", "must be 300 to 3600 seconds")
	}
	return nil
}

func validateLocale(r InitRequest) error {
	if r.Locale == "" {
		return nil
	}
	if _, err := language.Parse(r.Locale); err != nil || len(r.Locale) > 35 {
		return latchkey.InvalidField("locale", "must be a BCP 47 language tag")
	}
	return nil
}

func validateMetadata(r InitRequest) error {
	if len(r.Metadata) > maxMetadata {
		return latchkey.InvalidField("metadata", "has more than 20 entries")
	}
	for key, value := range r.Metadata {
		if key == "" || utf8.RuneCountInString(key) > maxMetadataKey || utf8.RuneCountInString(value) > maxMetadataValue {
			return latchkey.InvalidField("metadata", "must have keys of 1 to 64 and values of up to 512 characters")
		}
	}
	return nil
}

func validateGeolocation(r InitRequest) error {
	if r.Geolocation == nil {
		return nil
	}
	if !latchkey.ValidCountry(r.Geolocation.Country) {
		return latchkey.InvalidField("geolocation.country", "must be an ISO 3166-1 alpha-2 code in capitals")
	}
	if r.Geolocation.State != "" && !subdivision.MatchString(r.Geolocation.State) {
		return latchkey.InvalidField("geolocation.state", "must be the part of an ISO 3166-2 code after the dash")
	}
	if utf8.RuneCountInString(r.Geolocation.City) > maxCity {
		return latchkey.InvalidField("geolocation.city", "must have at most 100 characters")
	}
	return nil
}
