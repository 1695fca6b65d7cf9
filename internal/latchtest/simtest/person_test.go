package simtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"latchkey"
	"latchkey/internal/link"
)

// The tempers of people.
const (
	straight  = iota // walks straight through
	hasty            // submits everything twice at once, on two replicas
	sneaky           // sends the password before the consent
	mistaken         // has a wrong password at first
	cancels          // at the login
	denies           // at the consent
	leaves           // at the login, and does not come back
	isDeleted        // whose session the app deletes at the login
	goesBack         // from the login to the consent
	tempers
)

// mostSteps bounds how long a person goes on.
const mostSteps = 14

// person walks through a link.
type person struct {
	*world
	*visited
	name   string // as the dice know them
	act    act
	done   bool
	missed int // how often the password was wrong
	backed bool
	doing  sync.WaitGroup // what was submitted a second time
}

// visit lets a person walk through a link, each step at another replica.
func (w *world) visit(ctx context.Context, a act, name string) {
	p := &person{world: w, name: name, act: a, visited: &visited{owner: w.organisations[a.Organisation]}}
	if err := p.init(ctx); err != nil {
		return
	}
	w.journal.visit(p.visited)
	for step := 0; step < mostSteps && !p.done; step++ {
		pass(between(w.dice.roll(name, "pause"), 100*time.Millisecond, 4*time.Second))
		if r := w.reach(a.Replica + step); r != nil {
			p.step(ctx, r)
		}
	}
	p.doing.Wait()
}

// init starts the session.
func (p *person) init(ctx context.Context) error {
	return p.insist(p.act.Replica, func(r *replica) error {
		caller, err := r.auth.Caller(ctx, p.owner.key)
		if err != nil {
			return err
		}
		initiated, err := r.links.Init(ctx, caller, link.InitRequest{ClientReferenceID: fmt.Sprint("user ", p.act.Which)})
		if err != nil {
			return err
		}
		p.id, p.secret, p.version = initiated.Session.ID, initiated.Secret, initiated.Session.Version
		p.world.mu.Lock()
		defer p.world.mu.Unlock()
		p.owners[p.id] = p.owner.id
		return nil
	})
}

// step looks where the session is and does what the person does there.
func (p *person) step(ctx context.Context, r *replica) {
	acknowledged := p.journal.newest(p.visited)
	session, err := r.links.Find(ctx, p.secret)
	switch {
	case !r.alive() || isTrouble(err):
		return
	case err != nil:
		p.done = true
		if !p.deleted {
			p.violated(acksLast, "session %s can't be found: %v", p.id, err)
		}
		return
	case session.Version < acknowledged:
		p.violated(acksLast, "session %s shows version %d, %d was acknowledged", p.id, session.Version, acknowledged)
	}
	p.noted(p.name, session.State, session.Version)
	if session.State.Final() {
		p.done = true
		return
	}
	submission, ok := p.decide(ctx, r, session)
	if !ok {
		return
	}
	if p.temper() == hasty {
		if other := p.reach(r.number + 1); other != nil {
			twice := submission
			twice.Fields = p.fields(session)
			p.doing.Go(func() { p.submit(acting(ctx, p.name+" again"), other, twice) })
		}
	}
	p.submit(ctx, r, submission)
}

// temper is how the person is.
func (p *person) temper() int { return p.act.How % tempers }

// decide says what the person submits, or does something else.
func (p *person) decide(ctx context.Context, r *replica, session *latchkey.LinkSession) (link.Submission, bool) {
	submission := link.Submission{Version: session.Version, Action: latchkey.ActionContinue, Fields: p.fields(session)}
	switch session.State {
	case latchkey.StateAuthorization:
		if p.temper() == sneaky {
			if _, err := r.links.Step(ctx, p.secret, submission); err == nil {
				p.violated(consentFirst, "session %s took a password instead of a consent", p.id)
			}
		}
		submission.Action = latchkey.ActionApprove
		if p.temper() == denies {
			submission.Action = latchkey.ActionDeny
		}
	case latchkey.StateLogin:
		switch p.temper() {
		case cancels:
			submission.Action = latchkey.ActionCancel
		case goesBack:
			if !p.backed {
				p.backed, submission.Action = true, latchkey.ActionBack
			}
		case leaves:
			p.done = true
			return submission, false
		case isDeleted:
			p.done, p.deleted = true, true
			_ = r.links.Delete(ctx, p.secret)
			return submission, false
		}
	case latchkey.StateTrying:
		return submission, false
	}
	return submission, true
}

// fields are what the person types.
func (p *person) fields(session *latchkey.LinkSession) map[string]latchkey.Secret {
	text := map[string]string{"username": fmt.Sprint("person-", p.owner.number, "-", p.act.Which), "password": rightPassword}
	if session.State == latchkey.StateTwoFactor {
		text = map[string]string{"code": rightCode}
	} else if p.temper() == mistaken && session.State == latchkey.StateLogin && p.missed == 0 {
		p.missed++
		text["password"] = "wrong"
	}
	fields := map[string]latchkey.Secret{}
	for name, value := range text {
		fields[name] = latchkey.NewSecret([]byte(value))
	}
	return fields
}

// submit sends a step and notes what was acknowledged.
func (p *person) submit(ctx context.Context, r *replica, submission link.Submission) {
	session, err := r.links.Step(ctx, p.secret, submission)
	if err != nil || !r.alive() {
		p.noted(p.name, submission.Action, err)
		return
	}
	p.noted(p.name, submission.Action, session.State, session.Version)
	p.journal.acknowledged(p.visited, session)
}
