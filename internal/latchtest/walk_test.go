package latchtest_test

import (
	"net/http"
	"testing"

	"latchkey/internal/latchtest"
)

// The store-call budgets of the four walks. The background rests, so that what
// is counted is the walk's own.
func TestTheFourWalksKeepTheirBudgets(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		s := latchtest.Start(t, options)
		sink := latchtest.NewSink(t)
		s.Listen(sink, "connection.created")
		body := map[string]any{"provider": latchtest.ProviderID}
		s.Init(body) // the key is known now
		var link latchtest.Link
		walk(s, "init", 1, 1, func() { link = s.Init(body) })

		visit := s.Visit(link.URL).Consent()
		form := visit.Form("continue", "username", "ada", "password", latchtest.Password)
		walk(s, "hosted login", 1, 2, func() { visit.Post(form) })
		if visit.Landed == nil {
			t.Fatalf("the login did not end: %s", visit.Text())
		}

		connection := s.Connections()[0].ID
		call := func() {
			s.Want(http.StatusOK, "GET", "/v2/access/proxy/me", nil, "x-connection-id", connection)
		}
		walk(s, "first proxy call, with its audit record", 2, 1, call)
		walk(s, "proxy call", 2, 0, call)

		if err := s.App.WriteUses(t.Context()); err != nil { // of the key, by the walks before
			t.Fatal(err)
		}
		// Beside claim and finish: overdue sessions, revocations, two steps of
		// housekeeping; and of the reads, looks at what is to be checked, warned of
		// and sealed anew, and two for endpoints that something is due for.
		walk(s, "webhook", 6, 5, func() {
			s.App.Start(t.Context())
			latchtest.Eventually(t, "the webhook arrives", func() bool { return len(sink.Hooks()) == 1 })
			s.Stop() // waits until it is finished
		})
	})
}

// walk runs one walk and holds its store calls against its budget.
func walk(s *latchtest.Server, name string, mostReads, mostFacts int64, run func()) {
	s.Helper()
	reads, facts := s.Calls(run)
	s.Logf("%s: %d reads, %d facts", name, reads, facts)
	if reads > mostReads || facts > mostFacts {
		s.Errorf("%s took %d reads and %d facts, may take %d and %d", name, reads, facts, mostReads, mostFacts)
	}
}
