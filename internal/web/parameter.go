package web

import (
	"net/http"
	"time"

	"latchkey"
)

// maxTime bounds a time, in bytes: RFC 3339 allows any number of decimals.
const maxTime = 64

// Time reads a query parameter of RFC 3339; absent is the zero time.
func Time(r *http.Request, name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	return ParseTime(name, text)
}

// ParseTime reads a time of RFC 3339 out of the named field.
func ParseTime(name, text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || len(text) > maxTime || at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}, latchkey.InvalidField(name, "must be a time like 2023-10-27T10:00:00.000Z")
	}
	return at.UTC(), nil
}
