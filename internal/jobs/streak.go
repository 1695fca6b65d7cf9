package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// streak logs the first of a row of failures and the success that ends it, so
// that an outage is two lines and not thousands. It is not safe for concurrent
// use.
type streak struct {
	log      *slog.Logger
	now      func() time.Time
	name     string
	failures int
	since    time.Time
}

// failed counts a failure of the named duty.
func (s *streak) failed(duty string, err error) {
	s.failures++
	if s.failures > 1 {
		return
	}
	s.since = s.now()
	s.log.Error("job "+duty+" fails", "job", s.name, "error", err)
}

// succeeded ends the row, if there is one.
func (s *streak) succeeded(duty string) {
	if s.failures == 0 {
		return
	}
	s.log.Info("job "+duty+" works again", "job", s.name, "failures", s.failures, "after", s.now().Sub(s.since))
	s.failures = 0
}

// describePanic tells what a panic was about, as far as it is fit for a log:
// errors and sentences, but of any other value only the type.
func describePanic(cause any) string {
	switch cause := cause.(type) {
	case error:
		return cause.Error()
	case string:
		return cause
	default:
		return fmt.Sprintf("%T", cause)
	}
}

// logPanic logs a panic with the stack of the goroutine that had it.
func logPanic(ctx context.Context, log *slog.Logger, name string, cause any) {
	log.ErrorContext(ctx, "job panicked", "job", name, "panic", describePanic(cause), "stack", string(debug.Stack()))
}
