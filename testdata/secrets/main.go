// Command secrets draws many secrets and prints, as JSON, what a test wants to
// know of them. It is a program of its own because the race detector would
// make it ten times as slow.
package main

import (
	"crypto/rand"
	"fmt"
	"hash/maphash"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"

	"latchkey"
)

// letters is how many there are in the alphabet.
const letters = 62

// found is what the secrets looked like.
type found struct {
	Drawn      int       `json:"drawn"`
	Shortest   int       `json:"shortest"`   // characters after the prefix
	Foreign    int       `json:"foreign"`    // characters outside [0-9A-Za-z]
	Duplicates int       `json:"duplicates"` // two that hash to the same 64 bits
	ChiSquared []float64 `json:"chiSquared"` // of each position, with 61 degrees of freedom
}

// share is the part of one goroutine.
type share struct {
	hashes   []uint64
	counts   [64][256]int // by position and character
	shortest int
}

// draw fills the share.
func (s *share) draw(n int, seed maphash.Seed) {
	s.hashes, s.shortest = make([]uint64, 0, n), len(s.counts)
	for range n {
		text := strings.TrimPrefix(latchkey.NewSecretID(rand.Reader, latchkey.PrefixClientSecret), latchkey.PrefixClientSecret)
		s.hashes, s.shortest = append(s.hashes, maphash.String(seed, text)), min(s.shortest, len(text))
		for i := range len(text) {
			s.counts[i][text[i]]++
		}
	}
}

func main() {
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	seed, shares := maphash.MakeSeed(), make([]share, runtime.GOMAXPROCS(0))
	var drawing sync.WaitGroup
	for i := range shares {
		drawing.Go(func() { shares[i].draw((n+i)/len(shares), seed) })
	}
	drawing.Wait()
	got := found{Shortest: len(shares[0].counts)}
	var hashes []uint64
	for i := range shares {
		hashes, got.Shortest = append(hashes, shares[i].hashes...), min(got.Shortest, shares[i].shortest)
	}
	got.Drawn = len(hashes)
	slices.Sort(hashes)
	got.Duplicates = len(hashes) - len(slices.Compact(hashes))
	for position := range got.Shortest {
		got.ChiSquared = append(got.ChiSquared, got.chi(shares, position))
	}
	encoded, err := json.Marshal(got)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(encoded))
}

// chi compares how often each letter stands at the position with how often it
// would if all were as likely.
func (f *found) chi(shares []share, position int) float64 {
	expected, sum := float64(f.Drawn)/letters, 0.0
	for c := range 256 {
		count := 0
		for i := range shares {
			count += shares[i].counts[position][c]
		}
		if !strings.ContainsRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", rune(c)) {
			f.Foreign += count
			continue
		}
		sum += (float64(count) - expected) * (float64(count) - expected) / expected
	}
	return sum
}
