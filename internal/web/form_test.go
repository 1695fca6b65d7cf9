package web_test

import (
	"fmt"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/web"
)

func TestDecodeForm(t *testing.T) {
	t.Run("values are decoded as browsers encode them", func(t *testing.T) {
		fields, err := decodeForm("user+name=ada%40x&password=%E2%82%AC+%2B%26%3D%00;&empty=&bare", formType+"; charset=utf-8")
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{"user name": "ada@x", "password": "€ +&=\x00;", "empty": "", "bare": ""} {
			if value, ok := fields[name]; !ok || string(value.Reveal()) != want {
				t.Errorf("%q is %q, want %q", name, value.Reveal(), want)
			}
		}
		if printed := fmt.Sprintf("%v %+v %#v", fields, fields, fields); strings.Contains(printed, "ada") {
			t.Error("printing the form shows a value")
		}
	})
	many := func(n int) string {
		var body strings.Builder
		for i := range n {
			fmt.Fprintf(&body, "&f%d=x", i)
		}
		return body.String()
	}
	for _, test := range []struct {
		name, body, contentType string
		code                    latchkey.Code
	}{
		{"JSON", `{"password":"` + canary + `"}`, "application/json", web.UnsupportedMediaType},
		{"several parts", "x", "multipart/form-data; boundary=x", web.UnsupportedMediaType},
		{"plain text", "password=" + canary, "text/plain", web.UnsupportedMediaType},
		{"no content type", "password=" + canary, "", web.UnsupportedMediaType},
		{"a name twice", "password=" + canary + "&password=b", formType, latchkey.Invalid},
		{"a name twice, encoded", "password=" + canary + "&pass%77ord=b", formType, latchkey.Invalid},
		{"half an escape", "password=" + canary + "%4", formType, latchkey.Invalid},
		{"a wrong escape", "password=" + canary + "%G0", formType, latchkey.Invalid},
		{"a wrong escape in a name", canary + "%=1", formType, latchkey.Invalid},
		{"51 names", many(51), formType, latchkey.Invalid},
		{"a byte over 32 KiB", "p=" + strings.Repeat("x", 32<<10-1), formType, web.PayloadTooLarge},
	} {
		t.Run(test.name+" is refused", func(t *testing.T) {
			fields, err := decodeForm(test.body, test.contentType)
			if fields != nil || latchkey.CodeOf(err) != test.code {
				t.Fatalf("%d fields, error %v, want %s", len(fields), err, test.code)
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the error repeats what was sent: %v", err)
			}
		})
	}
	for name, body := range map[string]string{"50 names": many(50), "32 KiB": "p=" + strings.Repeat("x", 32<<10-2), "nothing": ""} {
		if _, err := decodeForm(body, formType); err != nil {
			t.Errorf("%s is refused: %v", name, err)
		}
	}
}
