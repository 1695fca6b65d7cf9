package web_test

import (
	stdjson "encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/web"
)

// plainOrder is order without what only Decode can read.
type plainOrder struct {
	Name  string            `json:"name"`
	Count *int              `json:"count"`
	Where *place            `json:"where"`
	Stops []place           `json:"stops"`
	Notes map[string]string `json:"notes"`
}

// fixedMessage is every message that Decode may answer with: ours, with names
// of our fields and numbers of list entries.
var fixedMessage = regexp.MustCompile(`^(the body (is not valid JSON|must be a JSON object|has a key twice|` +
	`has data after the JSON object|is nested deeper than 32|has more than 1000 keys|is larger than 64 KiB)|` +
	`(name|count|secret|where|stops|notes|fields|city) must be written in exactly this case|` +
	`(name|count|secret|where|where\.city|stops|stops\.\d+|stops\.\d+\.city|notes|fields) has the wrong type)$`)

// FuzzDecode holds Decode against the standard library, which takes keys in
// any case and the last of two: what Decode takes means the same to both.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"name":"a","count":2,"where":{"city":"b"},"stops":[{"city":"c"},{}],"notes":{"x":"y"},"secret":"s","fields":{"p":"q"}}`,
		`{"NAME":"a"}`, `{"name":"a","name":"b"}`, `{"\u017ftops":[]}`, `{"name":"\ud800"}`, `{"count":1e2}`, `{"where":null}`,
		`{} {}`, `[]`, `{"notes":{"N":"1","n":"2"}}`, `{"stops":[null]}`, "{\"name\":\"\xff\"}", `{"count":-0}`, `{"unknown":[[[{}]]]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := decode(body, "application/json")
		if err != nil {
			refused, ok := errors.AsType[*latchkey.Error](err)
			if !ok || refused.Err != nil || !fixedMessage.MatchString(refused.Message) {
				t.Fatalf("error %q is not one of ours", err)
			}
			return
		}
		var want plainOrder
		if err := stdjson.Unmarshal([]byte(body), &want); err != nil {
			t.Fatalf("what Decode takes is refused by the standard library: %v", err)
		}
		if diff := cmp.Diff(want, plainOrder{got.Name, got.Count, got.Where, got.Stops, got.Notes}); diff != "" {
			t.Errorf("decoded differently (-standard library +Decode):\n%s", diff)
		}
	})
}

func decodeForm(body, contentType string) (map[string]latchkey.Secret, error) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return web.DecodeForm(httptest.NewRecorder(), r)
}

const formType = "application/x-www-form-urlencoded"

// FuzzDecodeForm holds DecodeForm against url.ParseQuery. They differ in what
// is said: names given twice, the number of names, and the semicolon, which
// separates nothing in forms.
func FuzzDecodeForm(f *testing.F) {
	for _, seed := range []string{
		"username=ada&password=a+b%26c%C3%A9", "a=1&a=2", "a=1&%61=2", "a", "=x", "&&a=b&", "a=%", "a=%4", "a=%zz", "a=;b=1",
		"a=b=c", "a=%00%ff", "+=+", "%2B=%2b", "a=\x00\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if strings.Count(body, "&") > 1000 {
			return // the standard library has a bound of its own
		}
		want, wantErr := url.ParseQuery(strings.ReplaceAll(body, ";", "%3B"))
		got, err := decodeForm(body, formType)
		if err != nil {
			twice := false
			for _, values := range want {
				twice = twice || len(values) > 1
			}
			if wantErr == nil && !twice && len(want) <= 50 && len(body) <= 32<<10 {
				t.Fatalf("%v, but the standard library takes %q", err, body)
			}
			return
		}
		if wantErr != nil || len(got) != len(want) {
			t.Fatalf("took %d names, the standard library %d, %v", len(got), len(want), wantErr)
		}
		for name, value := range got {
			if values := want[name]; len(values) != 1 || values[0] != string(value.Reveal()) {
				t.Errorf("%q is %q, want %q", name, value.Reveal(), values)
			}
		}
	})
}
