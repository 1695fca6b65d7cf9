package lifetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // to hold the database up

	"latchkey/internal/latchtest"
)

// kills is how often the app is killed between the provider's answer to a
// refresh and the commit of what it brought.
const kills = 20

func TestARefreshThatIsLostInAKillIsNeverSilent(t *testing.T) {
	p := newProcess(t)
	p.start()
	connection := p.link("")
	silent, beyond := 0, 0
	for round := range kills {
		if status, err := p.use(connection); err != nil || status != http.StatusOK {
			t.Fatalf("round %d begins with %d %v", round, status, err)
		}
		before := len(p.events(connection, "connection.expired"))
		p.killInRefresh(connection, round%2 == 0)
		p.ahead += time.Minute // the dead one's lease is over
		p.start()
		if round%4 < 2 { // the app asks; else it does nothing at all
			if status, err := p.use(connection); err != nil || status != http.StatusUnauthorized {
				t.Errorf("round %d: a use is answered with %d %v", round, status, err)
			}
		}
		latchtest.Eventually(t, "the app is told", func() bool {
			return len(p.events(connection, "connection.expired")) > before
		})
		relinks := 0
		for status := 0; status != http.StatusOK; relinks++ {
			if relinks > 3 {
				t.Fatalf("round %d: it is not to be linked anew", round)
			}
			p.link(connection)
			status, _ = p.use(connection)
		}
		expired := p.events(connection, "connection.expired")
		if len(expired) != before+1 {
			silent++
			t.Errorf("round %d was told %d times", round, len(expired)-before)
		}
		if expiry := expired[len(expired)-1].Data.Connection.Expiry; expiry.Reason != "session_expired" || !expiry.CanReauth {
			silent++
			t.Errorf("round %d was told as %+v", round, expiry)
		}
		beyond += relinks - 1
	}
	fmt.Printf("RESULT R-10.silent %d 0\n", silent)
	fmt.Printf("RESULT R-10.relinks-beyond-one-a-kill %d 0\n", beyond)
	fmt.Printf("RESULT R-10.kills %d %d\n", kills, kills)
	if beyond != 0 {
		t.Errorf("%d links too many", beyond)
	}
}

// killInRefresh uses the connection, which must be refreshed for that, and
// kills the app when the provider has exchanged the tokens: before its answer
// is complete, or when it is and the commit is held up.
func (p *process) killInRefresh(connection string, complete bool) {
	p.Helper()
	answered := make(chan struct{})
	release := func() {}
	p.provider.Answered = func() {
		p.provider.Answered = nil
		if complete {
			release = p.holdUp()
			close(answered)
			return
		}
		p.kill()
		close(answered)
	}
	used := make(chan struct{})
	go func() {
		defer close(used)
		if status, err := p.use(connection); err == nil {
			p.Errorf("the use that was cut short is answered with %d", status)
		}
	}()
	<-answered
	if complete { // whenever it is now, nothing can be committed
		moment := time.NewTimer(50 * time.Millisecond)
		<-moment.C
		p.kill()
	}
	<-used
	release()
}

// holdUp lets nobody write to the database until the returned function is
// called.
func (p *process) holdUp() (release func()) {
	database, err := sql.Open("sqlite", "file:"+filepath.Join(p.data, "latchkey.db")+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		p.Error(err)
		return func() {}
	}
	held, err := database.BeginTx(context.WithoutCancel(p.Context()), nil)
	if err != nil {
		p.Error(err)
	}
	return func() {
		_ = held.Rollback()
		_ = database.Close()
	}
}
