package main

import (
	"encoding/xml"
	"strings"
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

func TestGrowthIsDrawnAndTold(t *testing.T) {
	all := []grown{
		{0, []cell{{Operation: "init", Side: "sqlite", Connections: guarded, PerSecond: 1000, Ratio: 0.5}, {Operation: "link", Side: "sqlite", Connections: guarded, PerSecond: 90}},
			map[string]size{"sqlite": {Idle: 40 << 20, Loaded: 60 << 20}}},
		{1_000_000, []cell{{Operation: "init", Side: "sqlite", Connections: guarded, PerSecond: 900, Ratio: 0.4}, {Operation: "link", Side: "sqlite", Connections: guarded, PerSecond: 60}},
			map[string]size{"sqlite": {Idle: 41 << 20, Loaded: 80 << 20}}},
	}
	cost := costCurves(all, "sqlite")
	if diff := cmp.Diff([]line{{"init, durable", []float64{1, 1.25}}, {"whole sandbox link", []float64{1, 1.5}}}, cost.lines, cmp.AllowUnexported(line{})); diff != "" {
		t.Errorf("(-want +got): %s", diff)
	}
	for name, drawn := range map[string]curves{"cost": cost, "memory": memoryCurves(all)} {
		var anything struct {
			XMLName xml.Name
			Paths   []struct{} `xml:"path"`
		}
		if err := xml.Unmarshal([]byte(drawn.svg()), &anything); err != nil || anything.XMLName.Local != "svg" || len(anything.Paths) != len(drawn.lines) {
			t.Errorf("%s: %v, %+v", name, err, anything)
		}
	}
	table := growthTable(all)
	for _, want := range []string{"| | engine | empty | 1 M |", "| init, durable, a second (times as slow) | sqlite | 1000 (1.00) | 900 (1.25) |", "| 40 and 60 MiB | 41 and 80 MiB |"} {
		if !strings.Contains(table, want) {
			t.Errorf("%q is not in\n%s", want, table)
		}
	}
}

func TestNamesBesideCurvesDoNotCover(t *testing.T) {
	c := curves{lines: []line{{"a", []float64{1}}, {"b", []float64{1}}, {"c", []float64{5}}}}
	places := c.places(func(value float64) float64 { return 100 - value })
	if diff := cmp.Diff([]float64{111, 127, 95}, places); diff != "" {
		t.Errorf("(-want +got): %s", diff)
	}
}

func TestTheLastReportIsReplaced(t *testing.T) {
	for document, want := range map[string]string{
		"before\n" + reportBegins + "old\n" + reportEnds + "after\n": "before\n" + reportBegins + "new\n" + reportEnds + "after\n",
		"":               "new\n",
		"something else": "",
		"something else\n" + reportBegins + "old": "",
	} {
		if got, err := withReport(document, "new\n"); got != want || (want == "") != (err != nil) {
			t.Errorf("%q becomes %q, want %q; %v", document, got, want, err)
		}
	}
}

func TestFlushesOfAllDisksAreCounted(t *testing.T) {
	stats := "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n" +
		" 254       0 vda 4 0 32 1 2 3 40 1 0 5 6 7 8 9 10 41 2\n" +
		" 254      16 vdb 4 0 32 1 2 3 40 1 0 5 6 7 8 9 10 1 2\n" +
		" 254       0 old 4 0 32 1 2 3 40 1 0 5\n"
	if got := flushesIn(stats); got != 42 {
		t.Errorf("%d flushes, want 42", got)
	}
}
