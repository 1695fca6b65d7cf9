package app

import (
	"runtime/debug"
	"testing"
)

func TestTheCollectorIsRelaxedUnlessTheOperatorSaysOtherwise(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	t.Setenv("GOGC", "100")
	RelaxCollector()
	if got := debug.SetGCPercent(100); got != 100 {
		t.Errorf("the operator's 100 has become %d", got)
	}
	t.Setenv("GOGC", "")
	RelaxCollector()
	if got := debug.SetGCPercent(100); got != heapGrowth {
		t.Errorf("it is %d", got)
	}
}
