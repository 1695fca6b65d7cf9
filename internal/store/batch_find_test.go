package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"latchkey"
)

// silent returns a batch of questions that are answered when the channel is closed.
func silent() (*batch[int], chan struct{}) {
	answered := make(chan struct{})
	b := startBatch(func(_ context.Context, items []int) []error {
		<-answered
		return make([]error, len(items))
	})
	b.reads = true
	return b, answered
}

func TestWhoLeavesDoesNotWaitForTheAnswerToAQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, answered := silent()
		ctx, leave := context.WithCancel(t.Context())
		asked := make(chan error, 1)
		go func() { asked <- b.do(ctx, 1) }()
		synctest.Wait()
		leave()
		if err := <-asked; !errors.Is(err, context.Canceled) {
			t.Errorf("who left is told %v", err)
		}
		close(answered)
		b.stop()
	})
}

func TestAQuestionWithoutAnAnswerIsNotSaidToBeDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, answered := silent()
		ctx, cancel := context.WithCancel(WithPatience(t.Context(), time.Second))
		defer cancel()
		err := b.do(ctx, 1)
		if latchkey.CodeOf(err) != latchkey.NetworkFailed || errors.Is(err, errUnknown) {
			t.Errorf("after a second without an answer: %v", err)
		}
		close(answered)
		b.stop()
	})
}
