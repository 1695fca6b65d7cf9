package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheEndOfARunIsRead(t *testing.T) {
	got, err := parseWrk("Running 1s test\nmeasured 30000 2000000 512.5 9000.0 0 0\n")
	want := measured{PerSecond: 15000, Count: 30000, P50: 512500 * time.Nanosecond, P99: 9 * time.Millisecond}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("(-want +got): %s, %v", diff, err)
	}
	for _, bad := range []string{"", "measured 1 1 1 1 1 0", "measured 1 1 1 1 0 3", "measured 1 1 x 1 0 0"} {
		if _, err := parseWrk(bad); err == nil {
			t.Errorf("%q is taken for a run", bad)
		}
	}
}

func TestAFigureIsTheMedianOfItsRounds(t *testing.T) {
	rounds := []sample{{measured: measured{PerSecond: 10, P99: 3}}, {measured: measured{PerSecond: 30, P99: 1}}, {measured: measured{PerSecond: 20, P99: 8}}}
	got := summarize("init", "sqlite", 64, rounds)
	want := cell{Operation: "init", Side: "sqlite", Connections: 64, PerSecond: 20, Low: 10, High: 30, P99: 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got): %s", diff)
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("the median of 1 to 4 is %v", got)
	}
}

func TestAFallenRatioIsNoticed(t *testing.T) {
	recorded := map[string]float64{"init sqlite": 0.60, "page sqlite": 0.50}
	if err := fallen(recorded, map[string]float64{"init sqlite": 0.55, "page sqlite": 0.46}); err != nil {
		t.Errorf("less than a tenth: %v", err)
	}
	if err := fallen(recorded, map[string]float64{"init sqlite": 0.53, "page sqlite": 0.50}); err == nil {
		t.Error("more than a tenth is not noticed")
	}
	if err := fallen(recorded, map[string]float64{"status sqlite": 0.53}); err == nil {
		t.Error("a run that measures nothing of it passes")
	}
}
