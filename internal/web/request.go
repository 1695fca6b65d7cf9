package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"latchkey"
)

// note is what is known of a request, filled along the way and logged as one
// event at its end. The path is not in it: paths hold client secrets.
type note struct {
	id      string
	pattern string
	caller  latchkey.Caller
	err     error
	attrs   []slog.Attr
	space   [2]slog.Attr // of the first of them
	gate    *Gate        // nil: it has none
	left    atomic.Bool  // it has left its gate
	shed    bool         // it was refused at its gate
	config  *Config      // nil outside of a router

	remote    string   // where it came from
	forwarded []string // the header X-Forwarded-For
	address   string   // see Address; empty until somebody asks
}

type noteKey struct{}

// served is one request with all that the kit keeps of it, in one piece of
// memory: its context, the note and the recorder of its answer.
type served struct {
	context.Context
	note     note
	recorder recorder
}

// Value hands out the note, or what the context around it holds.
func (s *served) Value(key any) any {
	if key == (noteKey{}) {
		return &s.note
	}
	return s.Context.Value(key)
}

func noteOf(ctx context.Context) *note {
	if found, ok := ctx.Value(noteKey{}).(*note); ok {
		return found
	}
	return &note{}
}

// RequestID returns the id of the request that ctx belongs to: req_….
func RequestID(ctx context.Context) string { return noteOf(ctx).id }

// Caller returns who is calling, within a route registered with API.
func Caller(ctx context.Context) latchkey.Caller { return noteOf(ctx).caller }

// Annotate adds to the event that will be logged for the request.
func Annotate(ctx context.Context, attrs ...slog.Attr) {
	about := noteOf(ctx)
	if about.attrs == nil {
		about.attrs = about.space[:0]
	}
	about.attrs = append(about.attrs, attrs...)
}

// ServeHTTP gives the request an id, runs its route and logs one event.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := rt.config.Now()
	all := &served{Context: r.Context(), recorder: recorder{ResponseWriter: w}}
	if rt.config.Context != nil {
		all.Context = rt.config.Context(all.Context)
	}
	about, answer := &all.note, &all.recorder
	about.id, about.config = latchkey.NewID(rt.config.Random, latchkey.PrefixRequest), &rt.config
	about.remote, about.forwarded = r.RemoteAddr, r.Header["X-Forwarded-For"]
	r = r.WithContext(all)
	answer.Header()["X-Request-Id"] = []string{about.id}
	apiHeaders(answer.Header()) // for what the multiplexer answers by itself; pages put their own over them
	defer func() {
		if cause := recover(); cause != nil {
			if cause == http.ErrAbortHandler {
				rt.finish(r, about, answer, started)
				panic(cause)
			}
			rt.config.Log.Error("request panicked", "request", about.id, "cause", describePanic(cause), "stack", string(debug.Stack()))
			if answer.status != 0 { // half an answer must not look like a whole one
				rt.finish(r, about, answer, started)
				panic(http.ErrAbortHandler)
			}
			WriteError(answer, r, latchkey.Errorf(latchkey.Internal, "something went wrong"))
		}
		rt.finish(r, about, answer, started)
	}()
	if !isPlainPath(r.URL.EscapedPath()) { // the multiplexer would redirect it, and a POST with it
		noRoute(answer, r)
	} else {
		rt.mux.ServeHTTP(answer, r)
	}
}

// describePanic tells what a panic is about: the runtime's own words, which
// name no values of ours, and of any other its type. Its words may hold
// what was sent; the stack says where it was.
func describePanic(cause any) string {
	if broken, ok := cause.(runtime.Error); ok {
		return broken.Error()
	}
	return fmt.Sprintf("%T", cause)
}

// isPlainPath reports whether a path begins at the root and has no empty, "."
// or ".." segment but at its end.
func isPlainPath(path string) bool {
	rest, rooted := strings.CutPrefix(path, "/")
	if !rooted {
		return false
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(rest, "/"), "/") {
		if segment == "." || segment == ".." || (segment == "" && rest != "") {
			return false
		}
	}
	return true
}

// finish logs the request's one event.
func (rt *Router) finish(r *http.Request, about *note, answer *recorder, started time.Time) {
	took := rt.config.Now().Sub(started)
	status := answer.status
	if status == 0 {
		status = http.StatusOK
	}
	if rt.config.Observe != nil {
		rt.config.Observe(about.pattern, status, took)
	}
	level := slog.LevelInfo
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if about.shed { // the metrics count it, and to write it down would cost more than it
		level = slog.LevelDebug
	}
	log := rt.config.Log.Handler()
	if !log.Enabled(r.Context(), level) {
		return
	}
	// The record is made by hand: a Logger would look up who called it.
	record := slog.NewRecord(time.Now(), level, "request", 0)
	var space [12]slog.Attr
	attrs := append(append(space[:0],
		slog.String("request", about.id), slog.String("method", r.Method), slog.String("route", about.pattern),
		slog.Int("status", status), slog.Duration("took", took)), about.attrs...)
	if about.caller.KeyID != "" {
		attrs = append(attrs, slog.String("key", about.caller.KeyID))
	}
	if about.err != nil {
		attrs = append(attrs, slog.String("error", about.err.Error()))
	}
	record.AddAttrs(attrs...)
	_ = log.Handle(r.Context(), record) // a log that can't be written stops nobody
}

// recorder remembers the status of an answer. What it wraps stays reachable
// for http.ResponseController.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the first final status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts as status 200 when none came before.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap gives http.ResponseController the writer beneath.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// keyOf finds the API key of a request: the header apikey, or a bearer token
// where there is none. Given twice it is refused: nobody could say which counts.
func keyOf(r *http.Request) (string, error) {
	keys := r.Header["Apikey"]
	if len(keys) == 0 {
		for _, authorization := range r.Header.Values("Authorization") {
			scheme, token, found := strings.Cut(authorization, " ")
			if found && strings.EqualFold(scheme, "Bearer") {
				keys = append(keys, strings.TrimSpace(token))
			}
		}
	}
	if len(keys) != 1 || keys[0] == "" {
		return "", latchkey.Errorf(latchkey.Unauthorized, "the API key is missing or not valid")
	}
	return keys[0], nil
}
