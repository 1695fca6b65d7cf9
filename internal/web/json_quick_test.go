package web

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"latchkey"
)

// shape has a field of every kind that requests have.
type shape struct {
	Name  string            `json:"name"`
	Count *int              `json:"count"`
	List  []string          `json:"list"`
	Map   map[string]string `json:"map"`
	Inner struct {
		Flag bool `json:"flag"`
	} `json:"inner"`
	Maybe Optional[string] `json:"maybe"`
}

func TestTheQuickWayDecodesNothingThatTheOtherRefuses(t *testing.T) {
	deep := strings.Repeat(`{"a":`, maxDepth) + "1" + strings.Repeat("}", maxDepth)
	many := `{"map":{` + strings.Repeat(`"a":"b",`, maxKeys) + `"z":""}}`
	for body, taken := range map[string]bool{
		`{}`: true, `{"name":"a","count":1,"list":["x"],"map":{"NAME":"y"},"inner":{"flag":true},"maybe":"m"}`: true,
		`{"Name":"a"}`: false, `{"inner":{"Flag":true}}`: false, `{"other":1}`: false, `{"name":"a","name":"b"}`: false,
		`{"name":1}`: false, `{"name":"a"} {}`: false, `{"name":"a"`: false, `[]`: false, `null`: false, ``: false,
		` {"name":"a"}`: false, `{"maybe":null}`: false, "{\"name\":\"\xff\"}": false, deep: false, many: false,
	} {
		var fast, slow shape
		got := quick([]byte(body), &fast)
		if got != taken {
			t.Errorf("%.60q: taken %v, want %v", body, got, taken)
		}
		if !got {
			if !reflect.ValueOf(fast).IsZero() {
				t.Errorf("%.60q: a try that failed has left %+v", body, fast)
			}
			continue
		}
		if err := decodeSlowly([]byte(body), &slow); err != nil {
			t.Errorf("%.60q is refused: %v", body, err)
		}
		if diff := cmp.Diff(slow, fast, cmp.AllowUnexported(Optional[string]{})); diff != "" {
			t.Errorf("%.60q (-slow +quick):\n%s", body, diff)
		}
	}
}

func TestWhatMayHoldASecretIsNotTriedTwice(t *testing.T) {
	for _, into := range []any{
		&struct{ Password latchkey.Secret }{}, &struct{ Fields map[string]latchkey.Secret }{}, &struct{ Raw []byte }{},
		&struct {
			Inner struct{ List []*latchkey.Secret }
		}{}, &struct{ Any any }{}, &struct{ Maybe Optional[latchkey.Secret] }{},
	} {
		if quick([]byte(`{}`), into) {
			t.Errorf("%T was decoded the quick way", into)
		}
	}
}
