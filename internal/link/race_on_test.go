//go:build race

package link_test

// underRaceDetector reports whether this test was built with -race.
const underRaceDetector = true
