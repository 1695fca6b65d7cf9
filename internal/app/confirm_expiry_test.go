package app_test

import (
	"fmt"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/link"
)

// held is a finished login that waits for its confirmation.
type held struct{ id, code, reference string }

// confirming makes the links of the redirect app wait for their confirmation.
func (e *era) confirming() {
	e.Helper()
	e.ChangeApp(latchkey.AppRedirect, func(app *latchkey.ClientApp) { app.RequireConfirmation = true })
}

// hold finishes n logins.
func (e *era) hold(n int) []held {
	e.Helper()
	made := make([]held, n)
	inParallel(n, func(i int) {
		reference := fmt.Sprintf("person %d", i)
		initiated, err := e.App.Links().Init(e.Context(), e.caller, link.InitRequest{
			ModeHint: "redirect", Provider: "sandbox", ClientReferenceID: reference, ExpiresIn: 300,
		})
		if err != nil {
			e.Errorf("init: %v", err)
			return
		}
		session := initiated.Session
		for _, step := range []link.Submission{
			{Action: latchkey.ActionContinue}, {Action: latchkey.ActionApprove},
			{Action: latchkey.ActionContinue, Fields: map[string]latchkey.Secret{
				"username": latchkey.NewSecret(fmt.Appendf(nil, "p%d@creator.sandbox.com", i)),
				"password": latchkey.NewSecret([]byte("good-password")),
			}},
		} {
			step.Version = session.Version
			if session, err = e.App.Links().Step(e.Context(), initiated.Secret, step); err != nil {
				e.Errorf("step: %v", err)
				return
			}
		}
		made[i] = held{session.ID, session.ConfirmCode, reference}
	})
	return made
}

// confirm counts the codes that are not taken, or refused, as wanted.
func (e *era) confirm(links []held, want latchkey.Code) int {
	e.Helper()
	off := 0
	for i, l := range links {
		session, err := e.replica(i).App.Links().Confirm(e.Context(), e.caller, l.code, l.reference)
		if latchkey.CodeOf(err) != want || want == "" && session.State != latchkey.StateCompleted {
			off++
			e.Errorf("%s: %v, want %q", l.reference, err, want)
		}
	}
	return off
}

// swept lets the last replica sweep until nothing is left, and counts.
func (e *era) swept() int {
	e.Helper()
	for all := 0; ; {
		count, err := e.replica(len(e.replicas)-1).App.Links().Sweep(e.Context(), 100)
		if err != nil {
			e.Fatal(err)
		}
		if all += count; count < 100 {
			return all
		}
	}
}

// keeping counts the sessions that still keep a login.
func (e *era) keeping(links []held) int {
	e.Helper()
	count := 0
	for _, l := range links {
		session, err := e.App.Store().LinkSession(e.Context(), e.Trial.OrganisationID, latchkey.Sandbox, l.id)
		if err != nil {
			e.Fatal(err)
		}
		if session.Flow != nil || session.State == latchkey.StateConfirm {
			count++
		}
	}
	return count
}

func TestACodeEndsAfterAMinuteAndItsLoginAfterTen(t *testing.T) {
	const links = 60
	off, tried := 0, 0
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		e := newEra(t, options)
		e.confirming()
		all := e.hold(links)
		third := links / 3
		confirmed, waiting := all[:third], all[third:]
		e.at(59 * time.Second)
		off += e.confirm(confirmed, "")
		e.at(61 * time.Second)
		off += e.confirm(waiting[:third], latchkey.Invalid)
		e.start(t) // again, on the same data
		e.at(61 * time.Second)
		off += e.confirm(waiting[third:], latchkey.Invalid)
		tried += links + 2*len(waiting)

		e.at(10*time.Minute - time.Second)
		if count := e.swept(); count != 0 || e.keeping(waiting) != len(waiting) {
			off += len(waiting)
			t.Errorf("a second before ten minutes %d are swept, %d of %d keep their login", count, e.keeping(waiting), len(waiting))
		}
		e.at(10*time.Minute + time.Second)
		if count := e.swept(); count != len(waiting) || e.keeping(waiting) != 0 {
			off += len(waiting)
			t.Errorf("a second after ten minutes %d of %d are swept, %d keep their login", count, len(waiting), e.keeping(waiting))
		}
		revocations, err := e.App.Links().ClaimRevocations(t.Context(), 100)
		if err != nil || len(revocations) != len(waiting) {
			t.Errorf("%d of %d logins will be ended at the provider, %v", len(revocations), len(waiting), err)
		}
		if list := e.Connections(); len(list) != len(confirmed) {
			t.Errorf("%d connections, want %d", len(list), len(confirmed))
		}
	})
	fmt.Printf("RESULT S-9.code %d 0\n", off)
	fmt.Printf("RESULT S-9.code.n %d 280\n", tried)
}
