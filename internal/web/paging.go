package web

import (
	"net/http"
	"strconv"
	"time"

	"latchkey"
)

// The bounds of a page of a list.
const (
	defaultLimit = 10
	maxLimit     = 100
	maxOffset    = 1_000_000
	maxTime      = 64 // bytes of a time; RFC 3339 allows any number of decimals
)

// Paging reads limit (1 to 100, default 10) and offset (default 0).
func Paging(r *http.Request) (limit, offset int, err error) {
	if limit, err = intParameter(r, "limit", defaultLimit, 1, maxLimit); err != nil {
		return 0, 0, err
	}
	offset, err = intParameter(r, "offset", 0, 0, maxOffset)
	return limit, offset, err
}

func intParameter(r *http.Request, name string, absent, least, most int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return absent, nil
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < least || number > most {
		return 0, latchkey.InvalidField(name, "must be a number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most))
	}
	return number, nil
}

// Time reads a parameter that is an RFC 3339 time; absent it is the zero time.
func Time(r *http.Request, name string) (time.Time, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	return ParseTime(name, text)
}

// ParseTime reads an RFC 3339 time out of the named field.
func ParseTime(name, text string) (time.Time, error) {
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil || moment.IsZero() || len(text) > maxTime { // the zero time stands for none
		return time.Time{}, latchkey.InvalidField(name, "must be a time like 2026-01-31T10:00:00Z (RFC 3339)")
	}
	return moment, nil
}

// list is a page of a list.
type list[T any] struct {
	List       []T  `json:"list"`
	HasMore    bool `json:"hasMore"`
	NextOffset *int `json:"nextOffset,omitzero"`
}

// WriteList answers with one page of a list that began at offset.
func WriteList[T any](w http.ResponseWriter, items []T, more bool, offset int) error {
	page := list[T]{List: items, HasMore: more}
	if more {
		next := offset + len(items)
		page.NextOffset = &next
	}
	return WriteJSON(w, http.StatusOK, page)
}
