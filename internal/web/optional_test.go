package web_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/web"
)

// change is a body whose fields may all be left out.
type change struct {
	Name   web.Optional[string]   `json:"name"`
	Stops  web.Optional[[]place]  `json:"stops"`
	Where  web.Optional[filter]   `json:"where"`
	Until  web.Nullable[string]   `json:"until"`
	Second web.Nullable[[]string] `json:"second"`
}

type filter struct {
	City web.Nullable[string] `json:"city"`
}

func decodeChange(body string) (change, error) {
	r := httptest.NewRequest("PATCH", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	var into change
	err := web.Decode(httptest.NewRecorder(), r, &into)
	return into, err
}

func TestWhatIsLeftOutIsToldFromWhatIsNull(t *testing.T) {
	absent, err := decodeChange(`{"where":{}}`)
	if err != nil || absent.Name.Pointer() != nil || absent.Until.Pointer() != nil || absent.Stops.Pointer() != nil ||
		absent.Where.Pointer() == nil || absent.Where.Pointer().City.Pointer() != nil {
		t.Errorf("absent fields: %+v, %v", absent, err)
	}
	null, err := decodeChange(`{"until":null,"second":null,"where":{"city":null}}`)
	if err != nil || null.Until.Pointer() == nil || *null.Until.Pointer() != "" || *null.Second.Pointer() != nil ||
		null.Where.Pointer().City.Pointer() == nil {
		t.Errorf("null fields: %+v, %v", null, err)
	}
	given, err := decodeChange(`{"name":"","stops":[{"city":"a"}],"until":"b","second":[],"where":{"city":"c"}}`)
	if err != nil || *given.Name.Pointer() != "" || (*given.Stops.Pointer())[0].City != "a" || *given.Until.Pointer() != "b" ||
		len(*given.Second.Pointer()) != 0 || *given.Where.Pointer().City.Pointer() != "c" {
		t.Errorf("given fields: %+v, %v", given, err)
	}
}

func TestWhatIsOptionalIsReadAsStrictly(t *testing.T) {
	for body, field := range map[string]string{
		`{"name":null}`: "name", `{"stops":null}`: "stops", `{"where":null}`: "where", `{"name":7}`: "name",
		`{"stops":{}}`: "stops", `{"stops":[{"city":7}]}`: "stops.0.city", `{"until":7}`: "until",
		`{"second":["a",7]}`: "second.1", `{"where":{"city":["` + canary + `"]}}`: "where.city",
		`{"NAME":"a"}`: "name", `{"stops":[{"CITY":"a"}]}`: "city", `{"where":{"City":"a"}}`: "city",
	} {
		_, err := decodeChange(body)
		refused, ok := errors.AsType[*latchkey.Error](err)
		if !ok || refused.Code != latchkey.Invalid || refused.Field != field || strings.Contains(refused.Message, canary) {
			t.Errorf("%s: %v, want the field %s", body, err, field)
		}
	}
}
