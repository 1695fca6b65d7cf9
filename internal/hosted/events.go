package hosted

import (
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"latchkey"
	"latchkey/internal/web"
)

const (
	// streamLimit bounds how many pages are told of changes at once by this
	// process. The others look by themselves.
	streamLimit = 2000
	streamLife  = 50 * time.Second // then the browser connects again; proxies cut what is idle for a minute
	streamPulse = time.Second      // between two looks at the session
)

// streams counts the pages that are being told.
type streams struct{ open atomic.Int64 }

// eventsPath is where the page of the request is told of changes.
func eventsPath(r *http.Request, query url.Values) string { return pathBelow(r, "events", query) }

// pathBelow is a path below the page of the request's session.
func pathBelow(r *http.Request, name string, query url.Values) string {
	target := "/s/" + url.PathEscape(r.PathValue("clientSecret")) + "/" + name
	if len(query) == 0 {
		return target
	}
	return target + "?" + query.Encode()
}

// events tells a waiting page that its session has changed, as a stream of
// server-sent events (HTML, section 9.2), and nothing of how. It reads the
// session once a second, and changes nothing.
func (d *door) events(w http.ResponseWriter, r *http.Request) error {
	session, err := d.find(r)
	if err != nil && r.Context().Err() != nil {
		return nil // the page is gone already
	}
	if err != nil {
		return err
	}
	defer d.streams.open.Add(-1)
	if d.streams.open.Add(1) > streamLimit {
		return &latchkey.Error{Code: latchkey.NetworkFailed, Message: "too many pages wait at once", RetryAfter: 10}
	}
	web.LeaveGate(r.Context())
	web.LastWord(w.Header()) // it may be the end that it tells of
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	answer := http.NewResponseController(w)
	tell := func(event string) error {
		if _, err := fmt.Fprintf(w, "event: %s\ndata: %d\n\n", event, session.Version); err != nil {
			return err
		}
		return answer.Flush()
	}
	ctx, stop := r.Context(), time.NewTimer(streamLife)
	pulse := time.NewTicker(streamPulse)
	defer stop.Stop()
	defer pulse.Stop()
	for known := session.Version; ; {
		if tell("look") != nil {
			return nil // the page is gone
		}
		select {
		case <-ctx.Done():
			return nil
		case <-stop.C:
			return nil
		case <-d.config.Leaving:
			return nil
		case <-pulse.C:
		}
		if session, err = d.find(r); err != nil || session.Version != known {
			if session == nil {
				session = &latchkey.LinkSession{}
			}
			_ = tell("change")
			return nil
		}
	}
}
