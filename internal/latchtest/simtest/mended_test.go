package simtest

import (
	"testing"
	"time"
)

// mended are scenarios that once broke an invariant, as TestOneSeed shrank them,
// with what was wrong.
var mended = map[string]scenario{
	"a replica that stood still with the lease of a refresh asked the provider all the same, with a token that was spent": {
		Acts: []act{
			{Kind: visit},
			{Kind: stall, At: 60 * time.Second, How: 0, For: 75 * time.Second},
			{Kind: calls, At: 85 * time.Second},
			{Kind: calls, At: 130 * time.Second, Replica: 1},
		},
	},
}

func TestWhatOnceFailedHolds(t *testing.T) {
	database := newDatabase(t)
	for wrong, s := range mended {
		t.Run(wrong, func(t *testing.T) {
			if broken := play(t, database, s, none).violation; broken != nil {
				t.Errorf("%v\n%v", broken, s)
			}
		})
	}
}
