package latchkey

import (
	"context"
	"iter"
	"net/url"
	"strconv"
	"time"
)

// fullPage is the largest page the API gives.
const fullPage = 100

// Page is one page of a list.
type Page[T any] struct {
	List       []T  `json:"list"`
	HasMore    bool `json:"hasMore"`
	NextOffset *int `json:"nextOffset,omitempty"` // where the next page begins; nil: this is the last
}

// ListOptions say which page of a list is wanted.
type ListOptions struct {
	Limit  int // 1 to 100; 0: 10 for a page, 100 at a time when all are read
	Offset int // of the first; 0 to 1,000,000
}

func (o ListOptions) query() url.Values { return query{}.page(o.Limit, o.Offset) }

// query are the parameters of a list. What is empty is left out.
type query url.Values

func (q query) page(limit, offset int) url.Values {
	if limit != 0 {
		url.Values(q).Set("limit", strconv.Itoa(limit))
	}
	if offset != 0 {
		url.Values(q).Set("offset", strconv.Itoa(offset))
	}
	return url.Values(q)
}

func (q query) text(name, value string) query {
	if value != "" {
		url.Values(q).Set(name, value)
	}
	return q
}

func (q query) time(name string, value time.Time) query {
	if !value.IsZero() {
		url.Values(q).Set(name, value.UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	return q
}

func (q query) flag(name string, value *bool) query {
	if value != nil {
		url.Values(q).Set(name, strconv.FormatBool(*value))
	}
	return q
}

// get makes a call whose answer is of the type.
func get[T any](ctx context.Context, c *Client, call call) (*T, error) {
	var answer T
	if _, err := c.do(ctx, call, &answer); err != nil {
		return nil, err
	}
	return &answer, nil
}

// all reads page after page. It ends with the list, with the first error, or
// when the caller has seen enough. What is added to the list meanwhile moves
// the pages: an object may then be seen twice.
func all[T any](limit, offset int, page func(limit, offset int) (*Page[T], error)) iter.Seq2[T, error] {
	if limit == 0 {
		limit = fullPage
	}
	return func(yield func(T, error) bool) {
		for at := offset; ; {
			got, err := page(limit, at)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, object := range got.List {
				if !yield(object, nil) {
					return
				}
			}
			if !got.HasMore || len(got.List) == 0 {
				return
			}
			at += len(got.List)
		}
	}
}
