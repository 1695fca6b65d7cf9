package spectest_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"latchkey/internal/latchtest/spectest"
)

// thing is an exchange that fits the small description.
func thing() spectest.Exchange {
	return spectest.Exchange{
		Method: "PUT", Path: "/things/a", RequestBody: []byte(`{"size":3,"colour":"red"}`),
		RequestHeader: http.Header{"Content-Type": {"application/json"}}, Status: 200,
		ResponseHeader: http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"req_1"}},
		ResponseBody:   []byte(`{"id":"a","size":3}`),
	}
}

func TestWhatFitsGivesNoFinding(t *testing.T) {
	spec := smallSpec(t)
	for name, change := range map[string]func(*spectest.Exchange){
		"as it should be":         func(*spectest.Exchange) {},
		"an optional field":       func(e *spectest.Exchange) { e.ResponseBody = []byte(`{"id":"a","size":null,"note":"n"}`) },
		"a charset":               func(e *spectest.Exchange) { e.ResponseHeader.Set("Content-Type", "application/json; charset=utf-8") },
		"a status without a body": func(e *spectest.Exchange) { e.Status, e.ResponseBody = 204, nil },
		"a class of statuses": func(e *spectest.Exchange) {
			e.Status, e.ResponseBody = 418, []byte(`{"error":"no"}`)
		},
		"a bad request that was refused": func(e *spectest.Exchange) {
			e.Status, e.ResponseBody, e.RequestBody = 400, []byte(`{"error":"no"}`), []byte("{")
		},
		"a number in the query":  func(e *spectest.Exchange) { e.Method, e.Path = "GET", "/things/a?limit=3&other=x" },
		"an empty query":         func(e *spectest.Exchange) { e.Method, e.Path = "GET", "/things/a?limit=" },
		"a HEAD without a body":  func(e *spectest.Exchange) { e.Method, e.ResponseBody = "HEAD", nil },
		"a request that was cut": func(e *spectest.Exchange) { e.RequestCut, e.RequestBody = true, nil },
		"an answer that was cut": func(e *spectest.Exchange) { e.ResponseCut, e.ResponseBody = true, []byte(`{"id`) },
		"an escaped segment":     func(e *spectest.Exchange) { e.Path = "/things/a%2Fb" },
		"a fixed path": func(e *spectest.Exchange) {
			e.Method, e.Path = "GET", "/things/best"
			e.ResponseHeader.Set("Content-Type", "text/plain")
		},
		"a provider's answer": func(e *spectest.Exchange) {
			e.Method, e.Path, e.Status = "GET", "/far/a/b", 599
			e.ResponseHeader.Set("X-Left", "1")
		},
		"a provider's answer with a status of ours": func(e *spectest.Exchange) { e.Method, e.Path, e.Status = "GET", "/far/a", 429 },
		"a page": func(e *spectest.Exchange) {
			e.Path = "/page"
			e.ResponseHeader.Set("Content-Type", "text/html; charset=utf-8")
		},
		"a redirect": func(e *spectest.Exchange) {
			e.Path, e.Status, e.ResponseBody = "/page", 303, nil
			e.ResponseHeader.Del("Content-Type")
		},
		"a redirect to tidiness": func(e *spectest.Exchange) {
			e.Path, e.Status, e.ResponseBody = "//things/a", 307, nil
			e.ResponseHeader.Del("Content-Type")
		},
		"an asset": func(e *spectest.Exchange) {
			e.Path = "/static/1/a.css"
			e.ResponseHeader.Set("Content-Type", "text/css")
		},
		"no route, and so it says":  func(e *spectest.Exchange) { e.Path, e.Status, e.ResponseBody = "/none", 404, []byte(`{"error":"no"}`) },
		"no method, and so it says": func(e *spectest.Exchange) { e.Method, e.Status, e.ResponseBody = "POST", 404, []byte(`{"error":"no"}`) },
		"a field that is null":      func(e *spectest.Exchange) { e.RequestBody = []byte(`{"size":1,"note":null}`) },
		"a field that is empty":     func(e *spectest.Exchange) { e.RequestBody = []byte(`{"size":1,"note":""}`) },
		"no path at all":            func(e *spectest.Exchange) { e.Method, e.Path, e.Status = "OPTIONS", "*", 400 },
		"a tunnel":                  func(e *spectest.Exchange) { e.Method, e.Path, e.Status = "CONNECT", "/", 404 },
	} {
		t.Run(name, func(t *testing.T) {
			exchange := thing()
			change(&exchange)
			for _, finding := range spec.Check(exchange) {
				t.Error(finding)
			}
		})
	}
}

func TestEveryMisfitIsFound(t *testing.T) {
	spec := smallSpec(t)
	body := func(text string) func(*spectest.Exchange) {
		return func(e *spectest.Exchange) { e.ResponseBody = []byte(text) }
	}
	for name, test := range map[string]struct {
		change func(*spectest.Exchange)
		want   string
	}{
		"a field too few":                        {body(`{"id":"a"}`), `PUT /things/{id}, 200: answer: missing property 'size'`},
		"a field too many":                       {body(`{"id":"a","size":3,"more":1}`), `PUT /things/{id}, 200: answer: additional properties 'more' not allowed`},
		"another type":                           {body(`{"id":7,"size":3}`), `PUT /things/{id}, 200: answer: id: got number, want string`},
		"no JSON":                                {body(`{"id":`), `PUT /things/{id}, 200: answer: the body is not JSON`},
		"two bodies":                             {body(`{"id":"a","size":3}{}`), `PUT /things/{id}, 200: answer: the body is not JSON`},
		"no body":                                {body(``), `PUT /things/{id}, 200: answer: the body is not JSON`},
		"another status":                         {func(e *spectest.Exchange) { e.Status = 201 }, `PUT /things/{id}, 201: the status is not described`},
		"another media type":                     {func(e *spectest.Exchange) { e.ResponseHeader.Set("Content-Type", "text/plain") }, `PUT /things/{id}, 200: answer: the media type "text/plain" is not described`},
		"no media type":                          {func(e *spectest.Exchange) { e.ResponseHeader.Del("Content-Type") }, `PUT /things/{id}, 200: answer: the media type "" is not described`},
		"a body with 204":                        {func(e *spectest.Exchange) { e.Status = 204 }, `PUT /things/{id}, 204: the answer has a body`},
		"a header too few":                       {func(e *spectest.Exchange) { e.ResponseHeader.Del("X-Request-Id") }, `PUT /things/{id}, 200: answer: header x-request-id is missing`},
		"a header of another form":               {func(e *spectest.Exchange) { e.ResponseHeader.Set("X-Request-Id", "secret") }, `PUT /things/{id}, 200: answer: header x-request-id does not match ^req_`},
		"a request too small":                    {func(e *spectest.Exchange) { e.RequestBody = []byte(`{}`) }, `PUT /things/{id}, 200: request: missing property 'size'`},
		"a request that is null":                 {func(e *spectest.Exchange) { e.RequestBody = []byte(`{"size":null}`) }, `PUT /things/{id}, 200: request: missing property 'size'`},
		"a request without body":                 {func(e *spectest.Exchange) { e.RequestBody = nil }, `PUT /things/{id}, 200: request: the body is not JSON`},
		"a request as a form":                    {func(e *spectest.Exchange) { e.RequestHeader.Set("Content-Type", "text/plain") }, `PUT /things/{id}, 200: request: the media type "text/plain" is not described`},
		"a query out of bounds":                  {func(e *spectest.Exchange) { e.Method, e.Path = "GET", "/things/a?limit=0" }, `GET /things/{id}, 200: request: query limit minimum: got 0, want 1`},
		"a word for a number":                    {func(e *spectest.Exchange) { e.Method, e.Path = "GET", "/things/a?limit=x" }, `GET /things/{id}, 200: request: query limit got string, want integer`},
		"a route nobody described":               {func(e *spectest.Exchange) { e.Path = "/thongs/cs_123" }, `PUT /thongs/cs_…, 200: the route is not described`},
		"a method nobody described":              {func(e *spectest.Exchange) { e.Method = "POST" }, `POST /things/a, 200: the route is not described`},
		"another 404 than ours":                  {func(e *spectest.Exchange) { e.Path, e.Status = "/none", 404 }, `PUT /none, 404: answer: missing property 'error'`},
		"a provider's answer without our header": {func(e *spectest.Exchange) { e.Method, e.Path = "GET", "/far/a" }, `GET /far/{path...}, 200: answer: header X-Left is missing`},
	} {
		t.Run(name, func(t *testing.T) {
			exchange := thing()
			test.change(&exchange)
			if findings := spec.Check(exchange); !slices.Equal(findings, []string{test.want}) {
				t.Errorf("found %q, want %q", findings, test.want)
			}
		})
	}
}

func TestFindingsHoldNoValues(t *testing.T) {
	spec := realSpec(t)
	const canary = "sk_live_CANARY+CANARY"
	for _, g := range goodAnswers {
		exchange := g.exchange()
		exchange.ResponseBody = []byte(strings.NewReplacer(`"Ada"`, "17", `"2026-11-24T10:00:00.000Z"`, `"`+canary+`"`,
			`"org_2d"`, `"`+canary+`"`, `"sandbox"`, `["`+canary+`"]`, "cs_EXAMPLE", canary, "req_7h", canary).Replace(g.body))
		exchange.ResponseHeader.Set("x-request-id", canary)
		findings := spec.Check(exchange)
		if len(findings) == 0 || strings.Contains(strings.Join(findings, "\n"), "CANARY") {
			t.Errorf("%s: findings %q", g.name, findings)
		}
	}
}

func TestManyMayCheckAtOnce(t *testing.T) {
	text := []byte(small)
	spec, err := spectest.New(text)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for range 50 {
				if findings := spec.Check(thing()); len(findings) > 0 {
					t.Error(findings)
				}
			}
		})
	}
	group.Wait()
}
