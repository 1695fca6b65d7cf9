package main

import (
	"os"
	"strconv"
	"strings"
)

// flushField is where a line of /proc/diskstats has how many flushes a disk has
// completed (Linux, Documentation/admin-guide/iostats.rst, field 16), counted from
// its device numbers and name on. An fsync asks for one or two, that of the file
// system's journal with it; those that come together share one.
const flushField = 18

// flushes is how many flushes all disks have completed; 0 where that is not told.
func flushes() int64 {
	text, err := os.ReadFile("/proc/diskstats")
	if err != nil {
		return 0
	}
	return flushesIn(string(text))
}

func flushesIn(stats string) (total int64) {
	for line := range strings.Lines(stats) {
		fields := strings.Fields(line)
		if len(fields) <= flushField {
			continue
		}
		if count, err := strconv.ParseInt(fields[flushField], 10, 64); err == nil {
			total += count
		}
	}
	return total
}
