package web

import (
	"net/http"
	"time"

	"latchkey"
)

// Time reads a query parameter of RFC 3339; absent is the zero time.
func Time(r *http.Request, name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}, latchkey.InvalidField(name, "must be a time like 2023-10-27T10:00:00.000Z")
	}
	return at.UTC(), nil
}
