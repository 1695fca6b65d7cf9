package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// machine is a clock that can be set, and one that can't.
type machine struct {
	wall    time.Time
	elapsed time.Duration
	log     bytes.Buffer
}

func newMachine() (*machine, *clock) {
	m := &machine{wall: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	c := newClock(func() time.Time { return m.wall }, slog.New(slog.NewTextHandler(&m.log, nil)))
	c.elapsed = func() time.Duration { return m.elapsed }
	c.known.Store(&knownTime{at: m.wall})
	return m, c
}

// pass lets time go by, on both.
func (m *machine) pass(d time.Duration) {
	m.wall, m.elapsed = m.wall.Add(d), m.elapsed+d
}

// jumps are how a clock may be set.
var jumps = map[string]time.Duration{
	"an hour on": time.Hour, "an hour back": -time.Hour, "thirty days on": 30 * 24 * time.Hour,
	"thirty days back": -30 * 24 * time.Hour, "a leap second": -time.Second,
	"past the end of 32 bits": time.Date(2038, 1, 19, 3, 14, 9, 0, time.UTC).Sub(time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)),
}

func TestAClockThatIsSetBackChangesNothing(t *testing.T) {
	for name, jump := range jumps {
		t.Run(name, func(t *testing.T) {
			m, c := newMachine()
			before := c.Now()
			m.wall = m.wall.Add(jump)
			m.pass(time.Minute)
			if got, want := c.Now().Sub(before), time.Minute+max(jump, 0); got != want {
				t.Errorf("%v have passed, want %v", got, want)
			}
			c.Now()
			if told := strings.Count(m.log.String(), "set back"); told != 0 != (jump < -clockSlack) || told > 1 {
				t.Errorf("it told %d times: %s", told, &m.log)
			}
		})
	}
}

func TestAClockThatStandsStillOrIsSlowIsNotBelieved(t *testing.T) {
	m, c := newMachine()
	before := c.Now()
	for range 60 {
		m.elapsed += time.Second
		m.wall = m.wall.Add(500 * time.Millisecond)
	}
	if got := c.Now().Sub(before); got != time.Minute {
		t.Errorf("%v have passed", got)
	}
}

func TestTheTimeIsTheDatabasesWhateverTheMachineSays(t *testing.T) {
	for name, jump := range jumps {
		t.Run(name, func(t *testing.T) {
			m, c := newMachine()
			database := m.wall.Add(10 * time.Minute)
			ask := func(context.Context) (time.Time, error) {
				m.pass(20 * time.Millisecond) // each way
				answered := database.Add(m.elapsed)
				m.pass(20 * time.Millisecond)
				return answered, nil
			}
			if err := c.follow(t.Context(), ask); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(m.log.String(), "the time is the database's") {
				t.Errorf("it does not tell: %s", &m.log)
			}
			m.wall = m.wall.Add(jump)
			m.pass(time.Minute)
			if off := c.Now().Sub(database.Add(m.elapsed)); off.Abs() > time.Millisecond {
				t.Errorf("it is off by %v", off)
			}
			database = database.Add(jump) // it decides, also when it is set
			if err := c.follow(t.Context(), ask); err != nil {
				t.Fatal(err)
			}
			if off := c.Now().Sub(database.Add(m.elapsed)); off.Abs() > time.Millisecond {
				t.Errorf("it is off by %v when the database's clock was set", off)
			}
		})
	}
}

func TestAnAnswerThatTookLongDoesNotSetTheClock(t *testing.T) {
	m, c := newMachine()
	answer := func(off, trip time.Duration) func(context.Context) (time.Time, error) {
		return func(context.Context) (time.Time, error) {
			m.pass(trip)
			return m.wall.Add(off), nil
		}
	}
	if err := c.follow(t.Context(), answer(time.Hour, 0)); err != nil {
		t.Fatal(err)
	}
	before := c.Now().Sub(m.wall)
	if err := c.follow(t.Context(), answer(2*time.Hour, 10*time.Second)); err != nil || c.Now().Sub(m.wall) != before {
		t.Errorf("a slow answer moved it to %v, %v", c.Now().Sub(m.wall), err)
	}
	failure := errors.New("no database")
	err := c.follow(t.Context(), func(context.Context) (time.Time, error) { return time.Time{}, failure })
	if !errors.Is(err, failure) || c.Now().Sub(m.wall) != before {
		t.Errorf("without an answer it moved to %v, %v", c.Now().Sub(m.wall), err)
	}
}

func TestAClockThatGainsIsFollowed(t *testing.T) {
	m, c := newMachine()
	for range 1000 {
		m.pass(time.Millisecond)
		m.wall = m.wall.Add(clockStep / 10)
		if behind := m.wall.Sub(c.Now()); behind < 0 || behind > clockStep {
			t.Fatalf("the time is %v behind the machine's", behind)
		}
	}
}
