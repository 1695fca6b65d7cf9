package latchtest

import (
	"runtime/debug"
	"slices"
)

// UnderRaceDetector reports whether the test was built with -race, which makes
// Go about ten times as slow.
func UnderRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
