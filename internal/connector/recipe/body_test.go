package recipe

import (
	"bytes"
	"errors"
	"net/url"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// bodyOf compiles a JSON body.
func bodyOf(t testing.TB, source string) *jsonBody {
	t.Helper()
	var body jsonBody
	if err := yaml.Unmarshal([]byte(source), &body); err != nil {
		t.Fatal(err)
	}
	return &body
}

// A value arrives as it was in JSON, whatever it is: nothing leaves its string
// and nothing is expanded twice.
func FuzzJSONBody(f *testing.F) {
	for _, seed := range []string{"plain", `"`, `\`, `"},{"a":"`, "\x00\n\u2028", "{{field.b}}", "{{saved.c}}", "🗝", "\xff"} {
		f.Add([]byte(seed), []byte("b"))
	}
	body := bodyOf(f, `{a: ["{{field.a}}", {n: "x{{field.b}}y{{field.a}}"}], n: 1}`)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		encoded, err := body.appendTo(nil, values{fields: map[string][]byte{"a": a, "b": b}})
		if !utf8.Valid(a) || !utf8.Valid([]byte("x"+string(b)+"y"+string(a))) {
			if !errors.Is(err, errUnencodable) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if err := json.Unmarshal(encoded, &got); err != nil {
			t.Fatalf("%v: %s", err, encoded)
		}
		want := map[string]any{"a": []any{string(a), map[string]any{"n": "x" + string(b) + "y" + string(a)}}, "n": 1.0}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// A form's values are read back as they were.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{"plain", "a&b=c", "%41+ é", "{{field.b}}", "\xff\x00\r\n"} {
		f.Add([]byte(seed), []byte("b"))
	}
	var form pairs
	if err := yaml.Unmarshal([]byte(`{"a b": "{{field.a}}", c: "-{{field.b}}-{{field.a}}", d: 1}`), &form); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		encoded, err := form.appendTo(nil, values{fields: map[string][]byte{"a": a, "b": b}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := url.ParseQuery(string(encoded))
		if err != nil {
			t.Fatalf("%v: %s", err, encoded)
		}
		want := url.Values{"a b": {string(a)}, "c": {"-" + string(b) + "-" + string(a)}, "d": {"1"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhatABufferOutgrowsIsCleared(t *testing.T) {
	small := append(make([]byte, 0, 4), "pass"...)
	larger := append(reserve(small, 8), "word"...)
	if string(larger) != "password" || !bytes.Equal(small, make([]byte, 4)) {
		t.Errorf("grew to %q and left %q", larger, small)
	}
}

func TestAValueThatIsMissingNamesItself(t *testing.T) {
	body := bodyOf(t, `{a: "{{field.a}}", b: ["{{saved.token}}"]}`)
	_, err := body.appendTo(nil, values{fields: map[string][]byte{"a": []byte("good-password")}})
	if !errors.Is(err, errMissing) || err.Error() != "saved.token has no value" {
		t.Errorf("error %v", err)
	}
}

func TestNumbersThatJSONWritesOtherwiseAreRefused(t *testing.T) {
	for _, source := range []string{"{a: 0x10}", "{a: .inf}", "{a: 1_000}", "{a: True}", "{a: +1}"} {
		if err := yaml.Unmarshal([]byte(source), new(jsonBody)); err == nil {
			t.Errorf("%s is accepted", source)
		}
	}
}
