package web_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/web"
)

// order is a body with everything that bodies here have.
type order struct {
	Name   string                     `json:"name"`
	Count  *int                       `json:"count"`
	Secret latchkey.Secret            `json:"secret"`
	Where  *place                     `json:"where"`
	Stops  []place                    `json:"stops"`
	Notes  map[string]string          `json:"notes"`
	Fields map[string]latchkey.Secret `json:"fields"`
}

type place struct {
	City string `json:"city"`
}

func decode(body, contentType string) (order, error) {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	var into order
	err := web.Decode(httptest.NewRecorder(), r, &into)
	return into, err
}

func TestDecodeTakesOneObject(t *testing.T) {
	for _, contentType := range []string{"application/json", "Application/JSON; charset=utf-8", `application/json;charset="UTF-8"`} {
		got, err := decode(`  {"name":"a","count":2,"where":{"city":"b"},"stops":[{"city":"c"}],"notes":{"NAME":"d"},
			"unknown":[{"NAME":[null,true,1e9]}],"nAmes":1}`+"\n", contentType)
		if err != nil {
			t.Fatalf("%s: %v", contentType, err)
		}
		if got.Name != "a" || *got.Count != 2 || got.Where.City != "b" || got.Stops[0].City != "c" || got.Notes["NAME"] != "d" {
			t.Errorf("%s: decoded %+v", contentType, got)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	deep := func(open, shut string, depth int) string {
		return `{"x":` + strings.Repeat(open, depth-1) + strings.Repeat(shut, depth-1) + `}`
	}
	keys := func(n int) string {
		var body strings.Builder
		for i := range n {
			fmt.Fprintf(&body, `,"k%d":0`, i)
		}
		return "{" + body.String()[1:] + "}"
	}
	for _, test := range []struct {
		name, body, contentType string
		code                    latchkey.Code
		field                   string
	}{
		{"no content type", `{}`, "-", web.UnsupportedMediaType, ""},
		{"a form", `{}`, "application/x-www-form-urlencoded", web.UnsupportedMediaType, ""},
		{"plain text, which needs no preflight", `{}`, "text/plain", web.UnsupportedMediaType, ""},
		{"a malformed content type", `{}`, "application/json; =", web.UnsupportedMediaType, ""},
		{"another JSON type", `{}`, "application/json-patch+json", web.UnsupportedMediaType, ""},
		{"a byte over 64 KiB", `{"name":"` + strings.Repeat("x", 64<<10-10) + `"}`, "", web.PayloadTooLarge, ""},
		{"nothing", ``, "", latchkey.Invalid, ""},
		{"white space", " \n", "", latchkey.Invalid, ""},
		{"null", `null`, "", latchkey.Invalid, ""},
		{"a list", `[{"name":"` + canary + `"}]`, "", latchkey.Invalid, ""},
		{"a string", `"` + canary + `"`, "", latchkey.Invalid, ""},
		{"no JSON", canary, "", latchkey.Invalid, ""},
		{"half an object", `{"name":"` + canary + `"`, "", latchkey.Invalid, ""},
		{"half a list", `{"stops":[{"city":"` + canary + `"}`, "", latchkey.Invalid, ""},
		{"a comma too many", `{"name":"` + canary + `",}`, "", latchkey.Invalid, ""},
		{"a comment", `{"name":"` + canary + `"/*x*/}`, "", latchkey.Invalid, ""},
		{"single quotes", `{'name':'` + canary + `'}`, "", latchkey.Invalid, ""},
		{"a byte order mark", "\ufeff{}", "", latchkey.Invalid, ""},
		{"a control character", "{\"name\":\"" + canary + "\x00\"}", "", latchkey.Invalid, ""},
		{"a second object", `{"name":"a"}{"name":"` + canary + `"}`, "", latchkey.Invalid, ""},
		{"text after the object", `{} ` + canary, "", latchkey.Invalid, ""},
		{"a key twice", `{"name":"a","name":"` + canary + `"}`, "", latchkey.Invalid, ""},
		{"a key twice, escaped", `{"name":"a","n\u0061me":"` + canary + `"}`, "", latchkey.Invalid, ""},
		{"an unknown key twice", `{"` + canary + `":1,"` + canary + `":2}`, "", latchkey.Invalid, ""},
		{"a nested key twice", `{"where":{"city":"a","city":"` + canary + `"}}`, "", latchkey.Invalid, ""},
		{"a known key in capitals", `{"NAME":"` + canary + `"}`, "", latchkey.Invalid, "name"},
		{"a known key in both cases", `{"name":"a","Name":"` + canary + `"}`, "", latchkey.Invalid, "name"},
		{"a known key by a folding letter", `{"\u017fecret":"` + canary + `"}`, "", latchkey.Invalid, "secret"},
		{"a nested key in capitals", `{"where":{"City":"` + canary + `"}}`, "", latchkey.Invalid, "city"},
		{"a key in capitals in a list", `{"stops":[{"city":"a"},{"CITY":"` + canary + `"}]}`, "", latchkey.Invalid, "city"},
		{"text that is no UTF-8", "{\"name\":\"" + canary + "\xff\"}", "", latchkey.Invalid, ""},
		{"half a surrogate pair", `{"name":"` + canary + `\ud800"}`, "", latchkey.Invalid, ""},
		{"a number for text", `{"name":12345678901234567}`, "", latchkey.Invalid, "name"},
		{"text for a number", `{"count":"` + canary + `"}`, "", latchkey.Invalid, "count"},
		{"a fraction", `{"count":1.5}`, "", latchkey.Invalid, "count"},
		{"a number too large", `{"count":123456789012345678901}`, "", latchkey.Invalid, "count"},
		{"a number for a secret", `{"secret":12345678901234567}`, "", latchkey.Invalid, "secret"},
		{"an object for a secret", `{"secret":{"` + canary + `":1}}`, "", latchkey.Invalid, "secret"},
		{"null for a secret", `{"secret":null}`, "", latchkey.Invalid, "secret"},
		{"a wrong type in a list", `{"stops":[{"city":"a"},{"city":7}]}`, "", latchkey.Invalid, "stops.1.city"},
		{"a wrong type under the sender's own key", `{"notes":{"` + canary + `":1}}`, "", latchkey.Invalid, "notes"},
		{"a wrong type under the sender's own field", `{"fields":{"` + canary + `":1}}`, "", latchkey.Invalid, "fields"},
		{"33 objects deep", `{"x":` + strings.Repeat(`{"x":`, 31) + `{}` + strings.Repeat(`}`, 32), "", latchkey.Invalid, ""},
		{"33 lists deep", deep(`[`, `]`, 33), "", latchkey.Invalid, ""},
		{"64 KiB of brackets", strings.Repeat(`{"x":`, 12000), "", latchkey.Invalid, ""},
		{"1,001 keys", keys(1001), "", latchkey.Invalid, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			contentType := test.contentType
			switch contentType {
			case "":
				contentType = "application/json"
			case "-":
				contentType = ""
			}
			_, err := decode(test.body, contentType)
			refused, ok := errors.AsType[*latchkey.Error](err)
			if !ok || refused.Code != test.code || refused.Field != test.field {
				t.Fatalf("error %v, want %s of field %q", err, test.code, test.field)
			}
			for _, part := range []string{canary, "12345678901234567"} {
				if strings.Contains(err.Error()+refused.Field, part) {
					t.Errorf("the error repeats what was sent: %v", err)
				}
			}
		})
	}
	for name, body := range map[string]string{
		"exactly 64 KiB": `{"name":"` + strings.Repeat("x", 64<<10-11) + `"}`,
		"32 lists deep":  deep(`[`, `]`, 32),
		"1,000 keys":     keys(1000),
	} {
		if _, err := decode(body, "application/json"); err != nil {
			t.Errorf("%s is refused: %v", name, err)
		}
	}
}

func TestSecretsAreDecodedWithoutLeaking(t *testing.T) {
	got, err := decode(`{"secret":"`+canary+`\u00e9\n","fields":{"password":"`+canary+`","empty":""}}`, "application/json")
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Secret.Reveal()) != canary+"é\n" || string(got.Fields["password"].Reveal()) != canary {
		t.Error("the secrets are not what was sent")
	}
	if empty, ok := got.Fields["empty"]; !ok || !empty.Empty() {
		t.Error("an empty secret is not there, or not empty")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if printed := fmt.Sprintf(verb, got); strings.Contains(printed, canary) || strings.Contains(printed, fmt.Sprintf("%x", canary)) {
			t.Errorf("%s prints the secret", verb)
		}
	}
}

func TestDecodeOptional(t *testing.T) {
	var into order
	r := httptest.NewRequest(http.MethodPost, "/", http.NoBody)
	if err := web.DecodeOptional(httptest.NewRecorder(), r, &into); err != nil {
		t.Errorf("no body is refused: %v", err)
	}
	r = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"name":"a"}`))
	if err := web.DecodeOptional(httptest.NewRecorder(), r, &into); latchkey.CodeOf(err) != web.UnsupportedMediaType {
		t.Errorf("a body without content type: %v", err)
	}
	r.Header.Set("Content-Type", "application/json")
	if err := web.DecodeOptional(httptest.NewRecorder(), r, &into); err != nil || into.Name != "a" {
		t.Errorf("decoded %+v, %v", into, err)
	}
}
