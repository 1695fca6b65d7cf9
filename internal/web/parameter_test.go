package web_test

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/web"
)

func TestTime(t *testing.T) {
	for query, want := range map[string]string{
		"": "0001-01-01T00:00:00.000Z", "from=": "0001-01-01T00:00:00.000Z",
		"from=2026-01-31T10:00:00Z":             "2026-01-31T10:00:00.000Z",
		"from=2026-01-31T10:00:00.1239%2B02:00": "2026-01-31T08:00:00.123Z",
	} {
		got, err := web.Time(httptest.NewRequest("GET", "/?"+query, nil), "from")
		if err != nil || latchkey.FormatTime(got) != want {
			t.Errorf("%q: %v, %v, want %s", query, got, err, want)
		}
	}
	for _, hostile := range []string{
		canary, "2026-01-31", "10:00:00Z", "2026-01-31 10:00:00Z", "2026-01-31T10:00:00", "2026-02-30T10:00:00Z", "1769853600",
		"2026-01-31T25:00:00Z", "2026-01-31T10:00:00Z\x00", "2026-01-31T10:00:00." + strings.Repeat("1", 100) + "Z", "+12026-01-31T10:00:00Z",
		"0001-01-01T00:00:00Z",
	} {
		_, err := web.Time(httptest.NewRequest("GET", "/?from="+url.QueryEscape(hostile), nil), "from")
		refused, ok := errors.AsType[*latchkey.Error](err)
		if !ok || refused.Field != "from" || strings.Contains(refused.Message, canary) {
			t.Errorf("from %q: %v", hostile, err)
		}
	}
}
