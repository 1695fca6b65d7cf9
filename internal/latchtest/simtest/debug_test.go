package simtest

import (
	"fmt"
	"testing"
)

func TestDebug(t *testing.T) {
	d := newDatabase(t)
	for seed := 1; seed < 150; seed++ {
		s := scenarios.Example(seed)
		play(t, d, s, none)
		a := lines
		lines = nil
		play(t, d, s, none)
		b := lines
		lines = nil
		for i := range a {
			if i >= len(b) || a[i] != b[i] {
				fmt.Println("seed", seed)
				for j := max(0, i-4); j < i+4 && j < len(a) && j < len(b); j++ {
					fmt.Println("  a", a[j])
					fmt.Println("  b", b[j])
				}
				break
			}
		}
	}
}
