package simtest

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"
)

// dice decides latencies and losses. What it says hangs on the seed, on who
// asks for what, and on how often that was asked, and not on the order in which
// goroutines come by: a seed is the same world every time.
type dice struct {
	noise uint64
	mu    sync.Mutex
	asked map[uint64]uint64
}

func newDice(noise uint64) *dice { return &dice{noise: noise, asked: map[uint64]uint64{}} }

// roll returns the randomness of one occasion.
func (d *dice) roll(parts ...string) *rand.Rand {
	hash := fnv.New64a()
	for _, part := range parts {
		_, _ = hash.Write([]byte(part))
		_, _ = hash.Write([]byte{0})
	}
	key := hash.Sum64()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked[key]++
	return rand.New(rand.NewPCG(d.noise^key, d.asked[key])) //nolint:gosec // it must be repeatable
}

// between returns a time of nanoseconds, so that no two things happen at once.
func between(dice *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(dice.Int64N(int64(most-least)))
}

// actor is who acts, in a context: what the dice know them by.
type actor struct{}

func acting(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, actor{}, name)
}

func actorOf(ctx context.Context) string {
	name, _ := ctx.Value(actor{}).(string)
	return name
}

// random is the randomness of a replica: repeatable, and safe for concurrent
// use.
type random struct {
	mu     sync.Mutex
	source *rand.ChaCha8
}

func newRandom(dice *rand.Rand) *random {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(dice.Uint32())
	}
	return &random{source: rand.NewChaCha8(seed)}
}

// Read fills p.
func (r *random) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.source.Read(p)
}
