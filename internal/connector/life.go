package connector

import (
	"errors"
	"time"
)

// ErrNoRevocation is wrapped by a Revoker's error when the provider knows no
// way to end a credential: it is forgotten here, and may live on there.
var ErrNoRevocation = errors.New("the provider knows no way to end a credential")

// What a Description means by zero.
const (
	usualCheckEvery        = 6 * time.Hour
	usualRequestsPerMinute = 60
)

// CheckInterval returns how often a live connection is asked after.
func (d Description) CheckInterval() time.Duration {
	if d.CheckEvery <= 0 {
		return usualCheckEvery
	}
	return d.CheckEvery
}

// RequestBudget returns the most that a replica asks of the provider by itself
// in a minute.
func (d Description) RequestBudget() int {
	if d.RequestsPerMinute <= 0 {
		return usualRequestsPerMinute
	}
	return d.RequestsPerMinute
}

// EndOf returns when a provider's credential ends for good, so that the person
// must link again; the zero time when that is unknown or never.
func EndOf(provider Connector, credential Credential) time.Time {
	if _, ok := provider.(Refresher); ok || credential.ExpiresAt.IsZero() {
		return credential.EndsAt
	}
	if credential.EndsAt.IsZero() || credential.ExpiresAt.Before(credential.EndsAt) {
		return credential.ExpiresAt
	}
	return credential.EndsAt
}

// The warning before a known end.
const (
	warnBefore = 72 * time.Hour // at the most
	shortLife  = time.Hour      // what lives shorter is not worth a warning
)

// WarningAt returns when an app is told that a credential which lives from now
// to the end is about to end: three days before, or a tenth of its life if that
// is less. It is the zero time for one that has no known end, or that lives for
// less than an hour.
func WarningAt(now, end time.Time) time.Time {
	life := end.Sub(now)
	if end.IsZero() || life < shortLife {
		return time.Time{}
	}
	return end.Add(-min(warnBefore, life/10))
}
