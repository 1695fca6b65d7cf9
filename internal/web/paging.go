package web

import (
	"net/http"
	"strconv"

	"latchkey"
)

// The bounds of a page of a list.
const (
	defaultLimit = 10
	maxLimit     = 100
	maxOffset    = 1_000_000
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
