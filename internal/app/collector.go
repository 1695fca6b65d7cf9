package app

import (
	"os"
	"runtime/debug"
)

// heapGrowth is by how much the heap may grow until the garbage collector runs,
// in per cent of what is in use. That is a few megabytes here, so Go's own 100
// would have it run ten times a second under load and save no memory worth it.
const heapGrowth = 300

// RelaxCollector has the garbage collector of this process run less often, unless
// whoever started it has said how often by GOGC.
func RelaxCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
