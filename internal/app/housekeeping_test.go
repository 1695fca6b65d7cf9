package app_test

import (
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/app"
	"latchkey/internal/latchtest"
)

func TestWhatIsOverIsForgottenAndWhatWaitsIsNot(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true // the test decides when
		s := latchtest.Start(t, options)
		sink := latchtest.NewSink(t)
		s.Listen(sink)
		for range 3 {
			s.Visit(s.Init(map[string]any{"provider": latchtest.ProviderID}).URL).Consent().Submit("continue", "username", "ada", "password", latchtest.Password)
		}
		open := s.Init(nil)
		waiting := len(events(s))
		s.Clock.Move(29 * 24 * time.Hour)
		s.Want(200, "POST", "/v2/link/init", map[string]any{}, "Idempotency-Key", "key-of-yesterday")
		s.Clock.Move(2 * 24 * time.Hour)
		if err := s.App.Tidy(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now := len(events(s)); now != waiting || now == 0 {
			t.Errorf("of %d events that wait for their endpoint %d are left", waiting, now)
		}
		text := metricsOf(s)
		for what, want := range map[string]string{"idempotency_keys": " 1", "events": " 0", "deliveries": " 0", "sessions": " 3"} {
			line := `latchkey_removed_total{what="` + what + `"}` + want
			if !strings.Contains(text, line+"\n") {
				t.Errorf("the metrics lack %s", line)
			}
		}
		if !strings.Contains(text, "latchkey_revocation_journal_behind 0\n") {
			t.Error("the metrics lack the journal")
		}
		if status := s.Want(200, "GET", "/v2/link/sessions/"+open.SessionID, nil); strings.Contains(string(status.Body), "not_found") {
			t.Error("a session was removed that nobody has ended")
		}
		records, _, err := s.App.Store().Audit(t.Context(), latchkey.AuditFilter{
			OrganisationID: s.Trial.OrganisationID, Environment: latchkey.Sandbox, Limit: 100,
		})
		if err != nil || len(records) < 3 {
			t.Errorf("%d records are left, %v", len(records), err)
		}
	})
}

func events(s *latchtest.Server) []latchkey.Event {
	page, err := s.App.Store().EventsAfter(s.Context(), s.Trial.OrganisationID, latchkey.Sandbox, 0, 100)
	if err != nil {
		s.Fatal(err)
	}
	return page.Events
}

func metricsOf(s *latchtest.Server) string {
	recorder := httptest.NewRecorder()
	s.App.Metrics().ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	text, err := io.ReadAll(recorder.Body)
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

func TestARetentionIsALengthOfTime(t *testing.T) {
	for text, want := range map[string]string{
		"sessions: 30d": "", "events: 36h": "", "audit: forever": "", "deliveries: 0d": "",
		"events: 23h": "retention.events must be at least 24h", "sessions: 30": "must be like", "audit: -1h": "must be like",
		"sessions: 1.5d": "must be like", "sesions: 30d": "sesions not found",
	} {
		path := write(t, "latchkey.yaml", fmt.Sprintf("data: %s\nretention: {%s}\n", t.TempDir(), text))
		config, err := app.ReadConfig(path)
		if err == nil {
			var latch *app.App
			if latch, err = app.New(t.Context(), config, app.Parts{}); err == nil {
				err = latch.Stop(t.Context())
			}
		}
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && !strings.Contains(got, want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
