package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"latchkey"
)

// held returns how many bytes of the disk a file holds.
func held(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Blocks * 512
}

func TestTheReserveHoldsBlocksAndLetsThemGo(t *testing.T) {
	var log bytes.Buffer
	path := filepath.Join(t.TempDir(), "reserve")
	r := newReserve(path, slog.New(slog.NewTextHandler(&log, nil)))
	if got := held(t, path); r.full.Load() || got < reserveSize {
		t.Fatalf("it holds %d bytes, full=%v", got, r.full.Load())
	}
	slices := 0
	for r.runOut(errors.New("no room")); r.give(); r.runOut(errors.New("no room")) {
		if slices++; held(t, path) > reserveSize-int64(slices)*reserveSlice {
			t.Errorf("after %d slices it holds %d bytes", slices, held(t, path))
		}
	}
	if got := held(t, path); !r.full.Load() || got != 0 || slices != reserveSize/reserveSlice {
		t.Errorf("it still holds %d bytes, full=%v", got, r.full.Load())
	}
	if told := strings.Count(log.String(), "the disk is full"); told != 1 {
		t.Errorf("it told %d times: %s", told, &log)
	}
	r.recover()
	if got := held(t, path); r.full.Load() || got < reserveSize {
		t.Errorf("with room it holds %d bytes, full=%v", got, r.full.Load())
	}
	if again := newReserve(path, slog.New(slog.DiscardHandler)); again.full.Load() {
		t.Error("a reserve that is there is not taken")
	}
}

func TestAReserveThatCanNotBeHeldSaysThatTheDiskIsFull(t *testing.T) {
	var log bytes.Buffer
	r := newReserve(filepath.Join(t.TempDir(), "none", "reserve"), slog.New(slog.NewTextHandler(&log, nil)))
	if !r.full.Load() || !strings.Contains(log.String(), "the disk is full") {
		t.Errorf("full=%v: %s", r.full.Load(), &log)
	}
	r.recover()
	if !r.full.Load() {
		t.Error("it holds what it can't hold")
	}
}

func TestOnlyWhatEndsThingsIsWrittenWithoutRoom(t *testing.T) {
	e, _ := writerOf(t)
	e.writer.room.full.Store(true)
	e.writer.room.path = filepath.Join(t.TempDir(), "none", "reserve") // no look finds room
	if err := e.write(t.Context(), noting("new")); !errors.Is(err, ErrFull) {
		t.Errorf("what is new: %v", err)
	}
	s := &Store{engine: e}
	if err := s.fact(t.Context(), noting("new")); !errors.Is(err, ErrFull) {
		t.Errorf("a fact: %v", err)
	}
	if err := s.ending(t.Context(), noting("end")); err != nil {
		t.Errorf("what ends something: %v", err)
	}
	if n := noted(t, e); n != 1 {
		t.Errorf("%d facts are there", n)
	}
}

func TestTooManyFactsAreRefusedAndNoEnding(t *testing.T) {
	e, _ := writerOf(t)
	s := &Store{engine: e, factsAtOnce: 2}
	release := busy(t, e)
	answers := make(chan error, 2)
	for i := range 2 {
		go func() { answers <- s.fact(context.Background(), noting(fmt.Sprint(i))) }()
	}
	queued(e, 2)
	for range 3 {
		if err := s.statement(t.Context(), noting("late")); !errors.Is(err, ErrBusy) || Refusal(err).RetryAfter != busyPause {
			t.Errorf("the third: %v", err)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- s.ending(context.Background(), noting("end")) }()
	queued(e, 3)
	release()
	for _, err := range []error{<-answers, <-answers, <-ended} {
		if err != nil {
			t.Error(err)
		}
	}
	if err := s.fact(t.Context(), noting("after")); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestAFailedDiskIsToldOnceAndNothingIsWrittenAnyMore(t *testing.T) {
	told := make(chan error, 2)
	opened, err := openSQLite(t.Context(), Config{
		Path: filepath.Join(t.TempDir(), "latchkey.db"), Failed: func(cause error) { told <- cause },
	})
	if err != nil {
		t.Fatal(err)
	}
	e := opened.(*sqliteEngine)
	for range 2 {
		e.writer.fail(errors.New("EIO"))
	}
	if err := e.write(t.Context(), noting("after")); !errors.Is(err, ErrBroken) || Refusal(err) == nil {
		t.Errorf("a write after it: %v", err)
	}
	if err := <-told; !errors.Is(err, ErrBroken) || len(told) != 0 {
		t.Errorf("told %v, and %d more", err, len(told))
	}
	if err := e.close(); !errors.Is(err, ErrBroken) {
		t.Errorf("close: %v", err)
	}
	_ = e.main.Close()
}

func TestWhatMayBeAnsweredLater(t *testing.T) {
	postgres := func(code string) error { return fmt.Errorf("begin: %w", &pgconn.PgError{Code: code}) }
	for _, each := range []struct {
		err  error
		want int // seconds; 0: no refusal
	}{
		{ErrBusy, busyPause}, {ErrFull, outagePause}, {ErrBroken, outagePause}, {errClosed, outagePause},
		{postgres("53100"), outagePause}, {postgres("53300"), outagePause}, {postgres("57P01"), outagePause},
		{postgres("57P03"), outagePause}, {postgres("08006"), outagePause},
		{postgres("23505"), 0}, {postgres(""), 0}, {nil, 0}, {errors.New("other"), 0}, {conflict("session"), 0},
		{context.Canceled, 0},
	} {
		got := Refusal(each.err)
		switch {
		case each.want == 0 && got != nil, each.want != 0 && (got == nil || got.RetryAfter != each.want):
			t.Errorf("%v: %v, want %d seconds", each.err, got, each.want)
		case got != nil && (got.Code != latchkey.NetworkFailed || !errors.Is(got, each.err)):
			t.Errorf("%v: %v", each.err, got)
		}
	}
}
