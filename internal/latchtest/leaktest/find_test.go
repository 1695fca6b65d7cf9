package leaktest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
	"testing"
)

const planted = `Tr0ub4dor & "quotes" +%2B/ ä <b>`

// zipped packs.
func zipped(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAPlantedSecretIsFoundHoweverItIsWritten(t *testing.T) {
	secrets := &Secrets{}
	secrets.Add("password", planted)
	for i := range 100 {
		secrets.Add("token", strings.Repeat("x", i)+"another-token-0123456789")
	}
	for _, before := range []string{"", "a", "ab", "abc", "some more before it"} {
		whole := before + planted + " and after"
		quoted, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		wide := func(order func(rune) []byte) string {
			var b strings.Builder
			for _, c := range whole {
				b.Write(order(c))
			}
			return b.String()
		}
		for form, content := range map[string]string{
			"as it is": whole, "in JSON": string(quoted), "in a query": url.QueryEscape(whole), "in a path": url.PathEscape(whole),
			"in HTML": html.EscapeString(whole), "in hexadecimal": hex.EncodeToString([]byte(whole)),
			"in capitals": strings.ToUpper(hex.EncodeToString([]byte(whole))),
			"in base64":   base64.StdEncoding.EncodeToString([]byte(whole)), "in base64 URL": base64.RawURLEncoding.EncodeToString([]byte(whole)),
			"in UTF-16":      wide(func(c rune) []byte { return []byte{byte(c), byte(c >> 8)} }),
			"in big UTF-16":  wide(func(c rune) []byte { return []byte{byte(c >> 8), byte(c)} }),
			"packed":         "log\x1f\x8b\x08\x00" + zipped(t, whole) + "rest",
			"packed, packed": zipped(t, "x"+zipped(t, url.QueryEscape(whole))),
		} {
			found := secrets.Find([]byte("before " + content + " after"))
			if !slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, "password, ") }) {
				t.Errorf("%s, %d bytes before it: found %v", form, len(before), found)
			}
			if strings.Contains(strings.Join(found, ""), "Tr0ub4dor") {
				t.Error("a finding shows the secret")
			}
		}
	}
	if found := secrets.Find([]byte("nothing of that kind, Tr0ub4dor another-token")); len(found) != 0 {
		t.Errorf("found %v where nothing is", found)
	}
	if found := (&Secrets{}).Find([]byte(planted)); len(found) != 0 {
		t.Errorf("found %v of nothing", found)
	}
}

func TestACodeIsFoundAsANumberAlone(t *testing.T) {
	secrets := &Secrets{}
	secrets.Add("code", "123456")
	secrets.Add("short", "abc")
	for content, want := range map[string]int{
		"123456": 1, `"code":"123456"`: 1, "x123456y": 1, "1123456 123456": 1,
		"1234567": 0, "0123456": 0, "12:00:00.123456": 0, "": 0, "abc": 0,
	} {
		if found := secrets.Find([]byte(content)); len(found) != want {
			t.Errorf("in %q: %v", content, found)
		}
	}
	if kinds := secrets.Kinds(); kinds["code"] != 1 || len(kinds) != 1 {
		t.Errorf("kinds %v", kinds)
	}
}

func TestEveryEncodingHasForms(t *testing.T) {
	forms := Forms(planted)
	for _, encoding := range Encodings {
		if len(forms[encoding]) == 0 {
			t.Errorf("none of %s", encoding)
		}
	}
	if len(forms) != len(Encodings) {
		t.Errorf("%d encodings, %d names", len(forms), len(Encodings))
	}
}
