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

func TestPaging(t *testing.T) {
	for query, want := range map[string][2]int{
		"": {10, 0}, "limit=1": {1, 0}, "limit=100&offset=1000000": {100, 1000000}, "offset=0": {10, 0}, "limit=&offset=": {10, 0},
	} {
		limit, offset, err := web.Paging(httptest.NewRequest("GET", "/?"+query, nil))
		if err != nil || limit != want[0] || offset != want[1] {
			t.Errorf("%q: %d, %d, %v, want %v", query, limit, offset, err, want)
		}
	}
	for _, hostile := range []string{"0", "-1", "101", "1.5", "1e1", "0x10", " 5", canary, "99999999999999999999", "١", "1_0", "5\x00"} {
		_, _, err := web.Paging(httptest.NewRequest("GET", "/?limit="+url.QueryEscape(hostile), nil))
		refused, ok := errors.AsType[*latchkey.Error](err)
		if !ok || refused.Field != "limit" || strings.Contains(refused.Message, canary) {
			t.Errorf("limit %q: %v", hostile, err)
		}
	}
	for _, hostile := range []string{"-1", "1000001", "x"} {
		if _, _, err := web.Paging(httptest.NewRequest("GET", "/?offset="+hostile, nil)); latchkey.CodeOf(err) != latchkey.Invalid {
			t.Errorf("offset %q: %v", hostile, err)
		}
	}
}

func TestAListSaysWhereItGoesOn(t *testing.T) {
	for _, test := range []struct {
		items  []string
		more   bool
		offset int
		want   string
	}{
		{[]string{"a", "b"}, true, 4, `{"list":["a","b"],"hasMore":true,"nextOffset":6}`},
		{[]string{"a"}, false, 6, `{"list":["a"],"hasMore":false}`},
		{nil, false, 0, `{"list":[],"hasMore":false}`},
	} {
		w := httptest.NewRecorder()
		if err := web.WriteList(w, test.items, test.more, test.offset); err != nil {
			t.Fatal(err)
		}
		if got := w.Body.String(); got != test.want {
			t.Errorf("list %s, want %s", got, test.want)
		}
	}
}
