package latchkey_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"

	"latchkey"
)

// canary is looked for wherever a secret could have been printed.
const canary = "Tr0ub4dor&3"

func TestASecretPrintsAsNothingElse(t *testing.T) {
	secret := latchkey.NewSecret([]byte(canary))
	holder := struct {
		Name   string
		Secret latchkey.Secret
		List   []latchkey.Secret
		Map    map[string]latchkey.Secret
	}{"holder", secret, []latchkey.Secret{secret}, map[string]latchkey.Secret{"password": secret}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t", "%10v"} {
		for _, value := range []any{secret, &secret, holder, &holder} {
			printed := fmt.Sprintf(verb, value)
			for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), "84 114"} {
				if strings.Contains(printed, form) {
					t.Errorf("%s of %T shows the secret", verb, value)
				}
			}
		}
		if printed := fmt.Sprintf(verb, secret); verb != "%p" && printed != "[secret]" {
			t.Errorf("%s prints %q", verb, printed)
		}
	}
}

func TestASecretRefusesToBeEncoded(t *testing.T) {
	secret := latchkey.NewSecret([]byte(canary))
	for name, encode := range map[string]func(any) ([]byte, error){
		"encoding/json": json.Marshal,
		"json v2":       func(value any) ([]byte, error) { return jsonv2.Marshal(value) },
	} {
		for _, value := range []any{secret, &secret, map[string]latchkey.Secret{"a": secret}} {
			encoded, err := encode(value)
			if err == nil || bytes.Contains(encoded, []byte(canary)) || strings.Contains(err.Error(), canary) {
				t.Errorf("%s: encoded as %q, %v", name, encoded, err != nil)
			}
		}
	}
}

func TestASecretIsLoggedAsNothingElse(t *testing.T) {
	var text, js bytes.Buffer
	secret := latchkey.NewSecret([]byte(canary))
	for _, handler := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&js, nil)} {
		slog.New(handler).Info("login", "password", secret, "pointer", &secret, slog.Group("form", "password", secret))
	}
	for _, log := range []string{text.String(), js.String()} {
		if strings.Contains(log, canary) || strings.Count(log, "[secret]") != 3 {
			t.Errorf("logged as %s", log)
		}
	}
}

func TestASecretIsDecodedVerbatimAndZeroed(t *testing.T) {
	var form map[string]latchkey.Secret
	if err := jsonv2.Unmarshal([]byte(`{"password":"a\"b\u00e9\n{{x}}"}`), &form); err != nil {
		t.Fatal(err)
	}
	secret := form["password"]
	if string(secret.Reveal()) != "a\"bé\n{{x}}" {
		t.Error("the password arrived changed")
	}
	latchkey.ZeroAll(form)
	if len(bytes.Trim(secret.Reveal(), "\x00")) != 0 {
		t.Error("the password is still there")
	}
	for _, wrong := range []string{`{"password":7}`, `{"password":null}`, `{"password":["x"]}`, `{"password":"\ud800"}`} {
		err := jsonv2.Unmarshal([]byte(wrong), &map[string]latchkey.Secret{})
		if err == nil {
			t.Errorf("%s was accepted", wrong)
		}
	}
	if !(latchkey.Secret{}).Empty() || secret.Empty() {
		t.Error("only the zero value is empty")
	}
}
