package reference

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"latchkey/internal/latchtest/spectest"

	"github.com/google/go-cmp/cmp"
)

func TestTheDescriptionIsServedAsJSON(t *testing.T) {
	answer := get(newRouter(t, realDescription(t)), "GET", "/openapi.json")
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, %s", answer.Code, answer.Header().Get("Content-Type"))
	}
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "no-cache",
		"X-Content-Type-Options": "nosniff",
	} {
		if got := answer.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	var served anyObject
	if err := json.Unmarshal(answer.Body.Bytes(), &served); err != nil {
		t.Fatal(err)
	}
	want := plainDescription(t)
	delete(want, "x-shared")
	want["servers"] = []any{anyObject{"url": "https://api.example"}}
	asJSON, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	want = nil
	if err := json.Unmarshal(asJSON, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, served); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(answer.Body.String(), `{"openapi":"3.1.0"`) {
		t.Error("the order of the description is lost")
	}
	if strings.Contains(answer.Body.String(), "x-shared") {
		t.Error("it holds what only the YAML needs")
	}
}

func TestTheAnswersFitTheDescription(t *testing.T) {
	router := newRouter(t, realDescription(t))
	spec, err := spectest.New(get(router, "GET", "/openapi.json").Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	recorded := spectest.Recorder(router, spec, func(finding string) { t.Error(finding) })
	for _, path := range []string{"/openapi.json", "/docs/api"} {
		first := get(recorded, "GET", path)
		etag := first.Header().Get("ETag")
		if again := get(recorded, "GET", path, "If-None-Match", etag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s again: status %d, %d bytes", path, again.Code, again.Body.Len())
		}
		if other := get(recorded, "GET", path, "If-None-Match", `"0"`); other.Code != http.StatusOK {
			t.Errorf("%s after a change: status %d", path, other.Code)
		}
		if head := get(recorded, "HEAD", path); head.Code != http.StatusOK || head.Body.Len() > 0 || head.Header().Get("ETag") != etag {
			t.Errorf("HEAD %s: status %d, %d bytes, %s", path, head.Code, head.Body.Len(), head.Header().Get("ETag"))
		}
		if part := get(recorded, "GET", path, "Range", "bytes=0-3"); part.Code != http.StatusOK || part.Body.Len() != first.Body.Len() {
			t.Errorf("a part of %s: status %d", path, part.Code)
		}
	}
}

func TestThePagesFilesAreKeptForEver(t *testing.T) {
	router := newRouter(t, realDescription(t))
	page := pageOf(t, realDescription(t))
	for _, selector := range []string{"link[rel=stylesheet]", "link[rel=icon]"} {
		path := page.Find(selector).AttrOr("href", "")
		answer := get(router, "GET", path)
		if answer.Code != http.StatusOK || !strings.Contains(answer.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: status %d, %s", path, answer.Code, answer.Header().Get("Cache-Control"))
		}
		if !strings.HasPrefix(path, "/static/"+assetHash()+"/") {
			t.Errorf("%s is not named by its content", path)
		}
	}
	for _, path := range []string{assetPrefix() + "/none.css", assetPrefix() + "/..%2Fpage.html", "/static/000000000000/reference.css"} {
		if answer := get(router, "GET", path); answer.Code != http.StatusNotFound {
			t.Errorf("%s: status %d", path, answer.Code)
		}
	}
}

func TestThePagePolicyAllowsNothingForeign(t *testing.T) {
	answer := get(newRouter(t, realDescription(t)), "GET", "/docs/api")
	policy := answer.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "style-src 'self'", "script-src 'self';", "trusted-types 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy is %q, without %s", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
}

// What the page shows as an answer is one.
func TestTheSampleAnswersFit(t *testing.T) {
	described, err := newDocument(realDescription(t))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := spectest.New(realDescription(t))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, group := range described.groups() {
		for _, operation := range group.Operations {
			for _, answer := range append(operation.Answers, operation.Errors...) {
				if answer.Body == nil || answer.Body.Sample == "" || answer.Body.Link == objectID("Error") || operation.ID == "getDescription" {
					continue
				}
				checked++
				for _, finding := range spec.Check(spectest.Exchange{
					Method: operation.Method, Path: operation.Path, Status: statusOf(answer.Status), ResponseBody: []byte(answer.Body.Sample),
					RequestCut: true, RequestHeader: http.Header{"X-Connection-Id": {"conn_1"}},
					ResponseHeader: http.Header{
						"Content-Type": {"application/json"}, "X-Request-Id": {"req_1"}, "X-Ratelimit-Limit": {"1"},
						"X-Ratelimit-Remaining": {"1"}, "X-Ratelimit-Reset": {"1"}, "Retry-After": {"1"},
					},
				}) {
					t.Errorf("the sample of %s: %s\n%s", operation.ID, finding, answer.Body.Sample)
				}
			}
		}
	}
	if checked < 30 {
		t.Errorf("only %d samples", checked)
	}
}

func statusOf(text string) int {
	return int(text[0]-'0')*100 + int(text[1]-'0')*10 + int(text[2]-'0')
}
