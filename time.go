package latchkey

import "time"

// FormatTime returns t as the API writes times: RFC 3339, UTC, milliseconds.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// FormatOptionalTime returns nil for the zero time, for fields that may be null.
func FormatOptionalTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := FormatTime(t)
	return &text
}
