package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// pagingRows are about lists, section 1.
var pagingRows = []row{
	{id: "1.paging.shape", statement: "a list is {list, hasMore}", check: func(s *suite) {
		told := s.call("GET", "/v2/account/connections", nil).ok()
		told.at("list").list()
		told.at("hasMore").flag()
	}},
	{id: "1.paging.default", statement: "a page has 10 entries unless limit says otherwise", takes: time.Second, check: func(s *suite) {
		s.linkMany(11, nil)
		told := s.call("GET", "/v2/account/connections", nil).ok()
		if n := len(told.at("list").list()); n != 10 {
			s.failf("a page has %d entries", n)
		}
		told.at("hasMore").is(true)
	}},
	{id: "1.paging.limit", statement: "limit is 1 to 100: else 400 naming it", check: func(s *suite) {
		for _, good := range []string{"1", "100"} {
			s.call("GET", "/v2/account/connections?limit="+good, nil).want(http.StatusOK)
		}
		for _, bad := range []string{"0", "101", "-1", "ten", "1.5"} {
			s.call("GET", "/v2/account/connections?limit="+bad, nil).blames("limit")
		}
	}},
	{id: "1.paging.offset", statement: "offset is 0 or more: else 400 naming it", check: func(s *suite) {
		s.call("GET", "/v2/account/connections?offset=0", nil).want(http.StatusOK)
		for _, bad := range []string{"-1", "first", "0x1"} {
			s.call("GET", "/v2/account/connections?offset="+bad, nil).blames("offset")
		}
		beyond := s.call("GET", "/v2/account/connections?offset=1000000", nil).ok()
		beyond.at("list").is([]any{})
		beyond.at("hasMore").is(false)
	}},
	{id: "1.paging.walk", statement: "pages miss nothing and repeat nothing; nextOffset leads on", plus: true, check: walksPages},
	{id: "1.paging.everywhere", statement: "every list keeps the same rules", plus: true, check: func(s *suite) {
		for _, path := range []string{
			"/v2/connections", "/v2/client-apps", "/v2/api-keys", "/v2/webhook-endpoints", "/v2/audit", "/v2/link/sessions",
		} {
			told := s.call("GET", path+"?limit=1", nil).ok()
			told.at("hasMore").flag()
			if n := len(told.at("list").list()); n > 1 {
				s.failf("%s?limit=1 has %d entries", path, n)
			}
			s.call("GET", path+"?limit=101", nil).blames("limit")
			s.call("GET", path+"?offset=-1", nil).blames("offset")
		}
	}},
}

// linkMany links accounts, all with the reference when it is given.
func (s *suite) linkMany(many int, fields map[string]any) []string {
	ids := make([]string, many)
	for i := range ids {
		ids[i] = s.link("fan", fields).id
	}
	return ids
}

func walksPages(s *suite) {
	reference := s.reference()
	made := s.linkMany(5, map[string]any{"clientReferenceId": reference})
	seen := map[string]int{}
	offset, sizes := 0, []string{}
	for range 5 {
		told := s.call("GET", fmt.Sprintf("/v2/account/connections?limit=2&offset=%d&clientReferenceId=%s", offset, reference), nil).ok()
		for _, each := range told.at("list").list() {
			seen[each.at("id").text()]++
		}
		sizes = append(sizes, fmt.Sprint(len(told.at("list").list())))
		if !told.at("hasMore").flag() {
			if told.has("nextOffset") {
				s.failf("the last page has a nextOffset")
			}
			break
		}
		if next := told.at("nextOffset").whole(); next != offset+2 {
			s.failf("nextOffset is %d, want %d", next, offset+2)
		}
		offset += 2
	}
	if got := strings.Join(sizes, " "); got != "2 2 1" {
		s.failf("the pages have %s entries, want 2 2 1", got)
	}
	for _, id := range made {
		if seen[id] != 1 {
			s.failf("a connection was seen %d times, want once", seen[id])
		}
	}
}
