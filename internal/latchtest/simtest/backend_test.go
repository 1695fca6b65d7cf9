package simtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// mostCalls is how many calls an app makes at once.
const mostCalls = 4

// call lets an app call the bank through the proxy of several replicas at once,
// with a connection that may be another's or have ended.
func (w *world) call(ctx context.Context, a act, name string) {
	connection := w.journal.pick(a.Whose, a.Which)
	if connection == nil {
		return
	}
	by, second := w.organisations[a.Organisation], a.How%2 == 1
	key := by.key
	if second {
		key = by.secondText
	}
	var calling sync.WaitGroup
	for i := range 1 + a.How%mostCalls {
		calling.Go(func() {
			caller := fmt.Sprint(name, " call ", i)
			pass(between(w.dice.roll(caller), 0, 20*time.Millisecond))
			r := w.reach(a.Replica + i)
			if r == nil {
				return
			}
			number := w.journal.call(by, connection, second)
			request := httptest.NewRequestWithContext(acting(ctx, caller), http.MethodGet,
				fmt.Sprint("/v2/access/proxy/me?call=", number), nil)
			request.Header.Set("apikey", key)
			request.Header.Set("x-connection-id", connection.id)
			answer := httptest.NewRecorder()
			r.router.ServeHTTP(answer, request)
			w.noted(caller, answer.Code)
			if by != connection.owner && answer.Code == http.StatusOK {
				w.violated(tenantsApart, "%s was answered about %s of %s", by.name, connection.id, connection.owner.name)
			}
		})
	}
	calling.Wait()
}

// end lets an app end a connection, which may be another's, and ask again as
// long as it is not answered.
func (w *world) end(ctx context.Context, a act) {
	connection, by := w.journal.pick(a.Whose, a.Which), w.organisations[a.Organisation]
	if connection == nil {
		return
	}
	err := w.insist(a.Replica, func(r *replica) error {
		caller, err := r.auth.Caller(ctx, by.key)
		if err != nil {
			return err
		}
		if a.Kind == disconnect {
			return r.links.Disconnect(ctx, caller, connection.id)
		}
		return r.links.Invalidate(ctx, caller, connection.id)
	})
	w.noted(a.Kind, err)
	switch {
	case err == nil && by != connection.owner:
		w.violated(tenantsApart, "%s has ended %s of %s", by.name, connection.id, connection.owner.name)
	case err == nil:
		w.journal.acknowledgedEnd(connection)
	}
}

// revokeSecondKey ends the second key of an organisation.
func (w *world) revokeSecondKey(ctx context.Context, a act) {
	owner := w.organisations[a.Organisation]
	err := w.insist(a.Replica, func(r *replica) error {
		return shelf{r}.RevokeAPIKey(ctx, owner.second, r.now())
	})
	w.noted(a.Kind, err)
	if err == nil {
		owner.mu.Lock()
		defer owner.mu.Unlock()
		if owner.revokedAt.IsZero() {
			owner.revokedAt = time.Now()
		}
	}
}

// insistence is how often something is asked for again.
const insistence = 3

// errNobody is what comes of asking when no replica runs.
var errNobody = errors.New("no replica answers")

// insist asks a replica, and then others, until one has answered. What a replica
// answers that has crashed meanwhile, nobody hears.
func (w *world) insist(first int, ask func(r *replica) error) error {
	err := error(errNobody)
	for try := range insistence {
		r := w.reach(first + try)
		if r == nil {
			pass(time.Second)
			continue
		}
		err = ask(r)
		if !r.alive() {
			err = errCrashed
		}
		if err == nil || !isTrouble(err) {
			return err
		}
	}
	return err
}

// isTrouble reports whether asking again may help.
func isTrouble(err error) bool {
	return errors.Is(err, errCrashed) || errors.Is(err, errLost) || errors.Is(err, errUnreachable) || errors.Is(err, errNobody)
}
