package app_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"latchkey/internal/app"
)

func TestProbes(t *testing.T) {
	s := serve(t, app.Config{})
	for path, want := range map[string]string{"/healthz": "alive\n", "/readyz": "ready\n"} {
		t.Run(path+" says yes", func(t *testing.T) {
			if status, body := get(t, s.url+path); status != http.StatusOK || body != want {
				t.Errorf("status %d: %q", status, body)
			}
		})
	}
	t.Run("without its database it is alive and not ready, and says no more", func(t *testing.T) {
		if err := s.app.Store().Close(); err != nil {
			t.Fatal(err)
		}
		if status, body := get(t, s.url+"/readyz"); status != http.StatusServiceUnavailable || body != "not ready\n" {
			t.Errorf("/readyz: status %d: %q", status, body)
		}
		if status, _ := get(t, s.url+"/healthz"); status != http.StatusOK {
			t.Errorf("/healthz: status %d", status)
		}
		if !strings.Contains(s.log.String(), `"msg":"not ready"`) {
			t.Error("the log doesn't say why")
		}
	})
}

func TestMetrics(t *testing.T) {
	listener, err := app.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	s := serve(t, app.Config{MetricsListen: address})
	const secret = "cs_0000000000000000000000000000000000000000000"
	for range 3 {
		get(t, s.url+"/healthz")
	}
	get(t, s.url+"/"+secret)
	get(t, s.url+"/nowhere/at/all")
	status, text := get(t, "http://"+address+"/metrics")

	t.Run("count requests by route and status", func(t *testing.T) {
		for _, want := range []string{
			`latchkey_request_seconds_count{route="GET /healthz",status="200"} 3`,
			`latchkey_request_seconds_count{route="GET /{clientSecret}",status="404"} 1`,
			`latchkey_request_seconds_count{route="none",status="404"} 1`,
			`latchkey_request_seconds_bucket{route="GET /healthz",status="200",le="+Inf"} 3`,
		} {
			if status != http.StatusOK || !strings.Contains(text, want+"\n") {
				t.Errorf("status %d, and no line %s", status, want)
			}
		}
	})
	t.Run("name a route by its pattern, never by a path", func(t *testing.T) {
		if strings.Contains(text, secret) || strings.Contains(text, "nowhere") {
			t.Error("a path is in the metrics")
		}
		for _, route := range regexp.MustCompile(`route="([^"]*)"`).FindAllStringSubmatch(text, -1) {
			if !known(s.app, route[1]) {
				t.Errorf("route %q is no pattern", route[1])
			}
		}
	})
	t.Run("tell of the process", func(t *testing.T) {
		for _, want := range []string{"process_resident_memory_bytes", "go_goroutines"} {
			if !strings.Contains(text, want) {
				t.Errorf("nothing of %s", want)
			}
		}
	})
	t.Run("are not on the public listener", func(t *testing.T) {
		if status, _ := get(t, s.url+"/metrics"); status != http.StatusNotFound {
			t.Errorf("status %d", status)
		}
	})
	t.Run("end with the server", func(t *testing.T) {
		s.end()
		if err := s.wait(t); err != nil {
			t.Error(err)
		}
		if err := untilRefused(address); err != nil {
			t.Error(err)
		}
	})
}

func known(latch *app.App, pattern string) bool {
	for _, route := range latch.Routes() {
		if route.Pattern == pattern {
			return true
		}
	}
	return pattern == "none"
}

func TestTheLog(t *testing.T) {
	t.Run("is refused in an unknown format or level", func(t *testing.T) {
		for _, config := range []app.Config{{LogFormat: "xml"}, {LogLevel: "loud"}} {
			if _, err := app.NewLog(config, t.Output()); err == nil {
				t.Errorf("%+v is taken", config)
			}
		}
	})
	t.Run("says what it is told to", func(t *testing.T) {
		for config, want := range map[[2]string]string{
			{"", ""}: `"msg":"shown"`, {"json", "info"}: `"msg":"shown"`, {"text", "warn"}: "",
			{"text", "debug"}: "msg=hidden", {"text", "info"}: "msg=shown",
		} {
			out := &journal{}
			log, err := app.NewLog(app.Config{LogFormat: config[0], LogLevel: config[1]}, out)
			if err != nil {
				t.Fatal(err)
			}
			log.DebugContext(context.Background(), "hidden")
			log.InfoContext(context.Background(), "shown")
			if got := out.String(); !strings.Contains(got, want) || (want == "") != (got == "") {
				t.Errorf("%v: %q", config, got)
			}
		}
	})
}
