package app

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Retention says how long what is over is kept. What is still to be done is
// never removed, however old.
type Retention struct {
	Sessions   Span `yaml:"sessions"`   // link sessions that have ended; default 30d
	Events     Span `yaml:"events"`     // events that nobody waits for; default 30d
	Deliveries Span `yaml:"deliveries"` // deliveries that have arrived; default 30d
	Audit      Span `yaml:"audit"`      // the record of who did what; default forever
}

// Span is a length of time in a configuration: 36h, 30d or forever. Zero is the
// default.
type Span time.Duration

// forever is a Span without an end.
const forever = Span(-1)

// retained is the default of what has one.
const retained = Span(30 * 24 * time.Hour)

// leastRetained is how long everything is kept: an init may be asked for again
// for a day.
const leastRetained = Span(24 * time.Hour)

// UnmarshalYAML reads a Span.
func (s *Span) UnmarshalYAML(node *yaml.Node) error {
	if node.Value == "forever" {
		*s = forever
		return nil
	}
	if days, ok := strings.CutSuffix(node.Value, "d"); ok {
		number, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return fmt.Errorf("line %d: %w", node.Line, errSpan)
		}
		*s = Span(number) * Span(24*time.Hour)
		return nil
	}
	length, err := time.ParseDuration(node.Value)
	if err != nil || length < 0 {
		return fmt.Errorf("line %d: %w", node.Line, errSpan)
	}
	*s = Span(length)
	return nil
}

var errSpan = errors.New("a length of time must be like 36h, 30d or forever")

// check refuses what would be removed too early.
func (r Retention) check() error {
	for name, span := range map[string]Span{
		"sessions": r.Sessions, "events": r.Events, "deliveries": r.Deliveries, "audit": r.Audit,
	} {
		if span != 0 && span != forever && span < leastRetained {
			return fmt.Errorf("retention.%s must be at least 24h", name)
		}
	}
	return nil
}

// before returns the moment before which something is removed, and whether it
// is at all.
func (s Span) before(now time.Time, otherwise Span) (time.Time, bool) {
	if s == 0 {
		s = otherwise
	}
	return now.Add(-time.Duration(s)), s != forever
}
