package jobs

import (
	"encoding/binary"
	"io"
	"time"
)

// jitter returns wait, give or take up to 10 %, so that replicas that started
// together don't go on together. Without randomness it returns wait.
func jitter(random io.Reader, wait time.Duration) time.Duration {
	var word [8]byte
	if _, err := io.ReadFull(random, word[:]); err != nil {
		return wait
	}
	share := float64(binary.BigEndian.Uint64(word[:])>>11) / (1 << 53) // in [0, 1)
	return wait - wait/10 + time.Duration(share*float64(wait)/5)
}
