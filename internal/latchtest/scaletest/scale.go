// Package scaletest tells a test how far to go. A suite has minutes and proves
// that a thing holds; `make soak` has hours and proves it as often as is owed.
//
//	kills := scaletest.Of(20, 300)
package scaletest

import "os"

// Large reports whether this is the long run: LATCHKEY_SOAK is set and not "0".
var Large = os.Getenv("LATCHKEY_SOAK") != "" && os.Getenv("LATCHKEY_SOAK") != "0"

// Of returns large in the long run and small otherwise.
func Of[T any](small, large T) T {
	if Large {
		return large
	}
	return small
}
