package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
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
	address string
	leave   func()            // its gate; nil: it has none
	shed    bool              // it was refused at its gate
	refusal func(error) error // see Config.Refusal

	bodyTime time.Duration // for the reading of the body
}

type noteKey struct{}

func noteOf(ctx context.Context) *note {
	if found, ok := ctx.Value(noteKey{}).(*note); ok {
		return found
	}
	return &note{bodyTime: bodyTime}
}

// RequestID returns the id of the request that ctx belongs to: req_….
func RequestID(ctx context.Context) string { return noteOf(ctx).id }

// Caller returns who is calling, within a route registered with API.
func Caller(ctx context.Context) latchkey.Caller { return noteOf(ctx).caller }

// Annotate adds to the event that will be logged for the request.
func Annotate(ctx context.Context, attrs ...slog.Attr) {
	about := noteOf(ctx)
	about.attrs = append(about.attrs, attrs...)
}

// ServeHTTP gives the request an id, runs its route and logs one event.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := rt.config.Now()
	about := &note{id: latchkey.NewID(rt.config.Random, latchkey.PrefixRequest), bodyTime: rt.config.BodyTime,
		address: addressOf(r, rt.config.TrustedProxies), refusal: rt.config.Refusal}
	r = r.WithContext(context.WithValue(r.Context(), noteKey{}, about))
	answer := &recorder{ResponseWriter: w}
	answer.Header().Set("x-request-id", about.id)
	apiHeaders(answer.Header()) // for what the multiplexer answers by itself; routes put their own over them
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
	if !rt.config.Log.Enabled(r.Context(), level) {
		return
	}
	attrs := append([]slog.Attr{
		slog.String("request", about.id), slog.String("method", r.Method), slog.String("route", about.pattern),
		slog.Int("status", status), slog.Duration("took", took),
	}, about.attrs...)
	if about.caller.KeyID != "" {
		attrs = append(attrs, slog.String("key", about.caller.KeyID))
	}
	if about.err != nil {
		attrs = append(attrs, slog.String("error", about.err.Error()))
	}
	rt.config.Log.LogAttrs(r.Context(), level, "request", attrs...)
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
	keys := r.Header.Values("apikey")
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
