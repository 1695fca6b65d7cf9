package e2etest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
)

func TestAPlantedSecretIsFound(t *testing.T) {
	found := func(content []byte) bool {
		return slices.ContainsFunc(forms(password), func(form []byte) bool { return bytes.Contains(content, form) })
	}
	for _, before := range []string{"", "a", "ab", "abc", "some more before it"} {
		whole := before + password + " and after"
		quoted, err := json.Marshal(whole)
		if err != nil {
			t.Fatal(err)
		}
		for form, content := range map[string][]byte{
			"as it is": []byte(whole), "in JSON": quoted, "in a query": []byte(url.QueryEscape(whole)),
			"in a path": []byte(url.PathEscape(whole)), "in hexadecimal": []byte(hex.EncodeToString([]byte(whole))),
			"in base64":     []byte(base64.StdEncoding.EncodeToString([]byte(whole))),
			"in base64 URL": []byte(base64.RawURLEncoding.EncodeToString([]byte(whole))),
		} {
			if !found(content) {
				t.Errorf("%s, %d bytes before it: not found", form, len(before))
			}
		}
	}
	if found([]byte("nothing of that kind")) {
		t.Error("it is found where it is not")
	}
	for content, want := range map[string]bool{
		"123456": true, `"code":"123456"`: true, "x123456y": true, "1123456 123456": true,
		"1234567": false, "0123456": false, "12:00:00.123456": false, "": false,
	} {
		if containsNumber([]byte(content), "123456") != want {
			t.Errorf("the code in %q: %v", content, !want)
		}
	}
}
