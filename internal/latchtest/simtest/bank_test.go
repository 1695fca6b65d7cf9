package simtest

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// bank is the provider. It gives a new pair of tokens at each refresh and ends
// the grant when an old one is used again (RFC 9700, section 4.14.2). It sees
// everything that is done with credentials, and judges it.
type bank struct {
	world     *world
	mu        sync.Mutex
	downUntil time.Time
	issued    int
	called    int                  // calls through the proxy that were answered
	last      map[string]*grant    // of each session: a login whose answer was lost is made again
	waiting   map[string]string    // the username whose code a session still owes
	byAccess  map[string]*grant    // also those whose time is over
	byRefresh map[string]*grant    // also by tokens that were used
	used      map[string]*exchange // by the refresh token that was spent
	latest    map[string]*exchange // of each connection
}

// grant is what a person has agreed to.
type grant struct {
	session, username, access, refresh string
	issued                             time.Time
	ended                              bool
	lost                               bool // nobody knows its first pair
}

// exchange is one refresh.
type exchange struct {
	by       *replica
	at       time.Time
	lost     bool // nobody got the answer
	kept     bool // the new pair is in the database
	restored bool // and was taken out again for the one before
}

func newBank(w *world) *bank {
	return &bank{
		world: w, last: map[string]*grant{}, waiting: map[string]string{}, byAccess: map[string]*grant{}, byRefresh: map[string]*grant{},
		used: map[string]*exchange{}, latest: map[string]*exchange{},
	}
}

// secondFactor reports whether an account asks for a code.
func secondFactor(username string) bool { return strings.HasSuffix(username, "1") }

// What people know.
const (
	rightPassword = "right"
	rightCode     = "000000"
)

// serve answers a request.
func (b *bank) serve(from *replica, request *http.Request, body []byte) reply {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.world.noted(from.name, request.URL.Path, request.Header, string(body))
	form, err := url.ParseQuery(string(body))
	switch {
	case err != nil:
		return reply{status: http.StatusBadRequest}
	case time.Now().Before(b.downUntil):
		return reply{status: http.StatusServiceUnavailable}
	case request.URL.Path == "/login":
		return b.login(request.Header.Get(sessionHeader), form)
	case request.URL.Path == "/token":
		return b.exchange(from, request.Header.Get(connectionHeader), form.Get("token"))
	case request.URL.Path == "/revoke":
		if g := b.byRefresh[form.Get("token")]; g != nil {
			g.ended = true
		}
		return reply{status: http.StatusOK}
	}
	return b.access(request)
}

// login takes a password, and a code where the account has one. A person's
// secret must not come before their consent (I1).
func (b *bank) login(session string, form url.Values) reply {
	if !b.world.consented(session) {
		b.world.violated(consentFirst, "a credential of session %s came without a record of consent", session)
	}
	username := form.Get("username")
	switch {
	case form.Get("code") != "":
		if b.waiting[session] != username || form.Get("code") != rightCode {
			return reply{status: http.StatusForbidden}
		}
		delete(b.waiting, session)
	case form.Get("password") != rightPassword:
		return reply{status: http.StatusForbidden}
	case secondFactor(username):
		b.waiting[session] = username
		return reply{status: http.StatusAccepted}
	}
	g := &grant{session: session, username: username}
	b.last[session] = g
	return reply{status: http.StatusOK, body: b.pair(g), lost: func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		g.lost = true
	}}
}

// pair gives the grant new tokens and returns them.
func (b *bank) pair(g *grant) string {
	b.issued++
	g.access, g.refresh, g.issued = fmt.Sprint("at_", b.issued), fmt.Sprint("rt_", b.issued), time.Now()
	b.byAccess[g.access], b.byRefresh[g.refresh] = g, g
	return g.access + " " + g.refresh
}

// soon is less than the shortest time after which a pair that was just issued
// may be exchanged: its life, less the margin of 30 s, the longest exchange of
// 20 s, and the two skews.
const soon = tokenLife - 30*time.Second - 20*time.Second - 2*maxSkew

// exchange gives a new pair for a refresh token. A token must be used once for
// each end of a pair (I5), unless what the first use brought was lost.
func (b *bank) exchange(from *replica, connection, token string) reply {
	g := b.byRefresh[token]
	if g == nil || g.ended {
		return reply{status: http.StatusUnauthorized}
	}
	if g.refresh != token {
		if first := b.used[token]; !first.excuses() {
			b.world.violated(oneRefresh, "%s used the refresh token %s of %s again, which %s had used %v before (kept: %v)",
				from.name, token, connection, first.by.name, time.Since(first.at), first.kept)
		}
		g.ended = true
		return reply{status: http.StatusUnauthorized}
	}
	if last := b.latest[connection]; time.Since(g.issued) < soon && last != nil && !last.restored && !last.excuses() {
		b.world.violated(oneRefresh, "%s refreshed %s after %v, when it was still good", from.name, connection, time.Since(g.issued))
	}
	done := &exchange{by: from, at: time.Now()}
	b.used[token], b.latest[connection] = done, done
	return reply{status: http.StatusOK, body: b.pair(g), lost: func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		done.lost = true
	}}
}

// excuses reports whether what the exchange brought may have been lost, so that
// the token it has spent may come again.
func (e *exchange) excuses() bool {
	if e.kept {
		return e.restored
	}
	return e.lost || e.by.upsetSince(e.at)
}

// kept notes that the replica has stored what its exchange brought.
func (b *bank) kept(by *replica, connection string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := b.latest[connection]; last != nil && last.by == by {
		last.kept = true
	}
}

// restored notes that the connection has the pair before its last again.
func (b *bank) restored(connection string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := b.latest[connection]; last != nil {
		last.restored = true
	}
}

// access answers who the token is. What came through the proxy is held against
// what its caller may (I2, I6).
func (b *bank) access(request *http.Request) reply {
	token, _ := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
	g := b.byAccess[token]
	if number, err := strconv.Atoi(request.URL.Query().Get("call")); err == nil {
		username := ""
		if g != nil {
			username = g.username
		}
		b.world.judge(number, username)
	}
	if g == nil || g.ended || g.access != token {
		return reply{status: http.StatusUnauthorized}
	}
	if request.URL.Query().Has("call") {
		b.called++
	}
	return reply{status: http.StatusOK, body: g.username}
}

// isLive reports whether the last login of a session has not ended.
func (b *bank) isLive(session string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	g := b.last[session]
	return g != nil && !g.lost && !g.ended
}
