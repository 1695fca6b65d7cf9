package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
)

const settings = "/v2/account/settings"

// wantSettings compares an answer with the settings that it must be.
func (h house) wantSettings(answer latchtest.Answer, id, name string, expiresIn int, locale string) {
	h.Helper()
	wantJSON(h.TB, answer, http.StatusOK, `{"id":%q,"name":%s,"defaults":{"expiresIn":%d,"locale":%s},
		"vaultPlus":{"enabled":false,"autoEnableForNewConnections":false}}`, id, name, expiresIn, locale)
}

func TestSettingsAreOfTheWholeOrganisation(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		options.Idle = true
		h := newHouse(t, options)
		h.wantSettings(h.Call("GET", settings, nil), h.mine.id, `"Tenant"`, 1800, "null")
		h.wantSettings(h.Call("PATCH", settings, `{"name":"Acme & Söhne","defaults":{"expiresIn":300,"locale":"de-AT"}}`),
			h.mine.id, `"Acme & Söhne"`, 300, `"de-AT"`)
		h.wantSettings(h.Call("GET", settings, nil, "apikey", h.mine.live), h.mine.id, `"Acme & Söhne"`, 300, `"de-AT"`)
		h.wantSettings(h.Call("GET", settings, nil, "apikey", h.other.key), h.other.id, `"Tenant"`, 1800, "null")
		if who := h.Call("GET", "/v2/account/whoami", nil); !strings.Contains(string(who.Body), `"name":"Acme & Söhne"`) {
			t.Errorf("the name is remembered: %s", who.Body)
		}
		h.wantSettings(h.Call("PATCH", settings, `{"defaults":{"locale":null},"vaultPlus":{"enabled":false,"autoEnableForNewConnections":false}}`),
			h.mine.id, `"Acme & Söhne"`, 300, "null")
		h.wantSettings(h.Call("PATCH", settings, `{"defaults":{"expiresIn":1800}}`), h.mine.id, `"Acme & Söhne"`, 1800, "null")
		h.untouched("a change of nothing", func() {
			for _, body := range []string{`{}`, `{"defaults":{}}`, `{"defaults":{"expiresIn":1800,"locale":null}}`, `{"unknown":1}`} {
				h.wantSettings(h.Call("PATCH", settings, body), h.mine.id, `"Acme & Söhne"`, 1800, "null")
			}
		})
		h.wantRecords(h.mine.id, `settings.updated {"fields":["defaults.expiresIn"]}`, `settings.updated {"fields":["defaults.locale"]}`,
			`settings.updated {"fields":["name","defaults.expiresIn","defaults.locale"]}`)
	})
}

func TestSettingsRefuse(t *testing.T) {
	h := newHouse(t, latchtest.Options{Idle: true})
	for field, bodies := range map[string][]string{
		"name":                                  {`{"name":null}`, `{"name":""}`, `{"name":"` + strings.Repeat("é", 101) + `"}`, `{"name":"a\u202eb"}`, `{"name":7}`},
		"defaults":                              {`{"defaults":null}`, `{"defaults":[]}`},
		"defaults.expiresIn":                    {`{"defaults":{"expiresIn":299}}`, `{"defaults":{"expiresIn":3601}}`, `{"defaults":{"expiresIn":null}}`, `{"defaults":{"expiresIn":1.5}}`, `{"defaults":{"expiresIn":"900"}}`},
		"defaults.locale":                       {`{"defaults":{"locale":"` + canary + `!"}}`, `{"defaults":{"locale":"` + strings.Repeat("en-", 20) + `"}}`, `{"defaults":{"locale":7}}`},
		"vaultPlus.enabled":                     {`{"vaultPlus":{"enabled":true}}`, `{"vaultPlus":{"enabled":null}}`},
		"vaultPlus.autoEnableForNewConnections": {`{"vaultPlus":{"autoEnableForNewConnections":true}}`},
		"expiresIn":                             {`{"defaults":{"EXPIRESIN":900}}`},
	} {
		for _, body := range bodies {
			h.untouched(body, func() {
				if said := h.refused(h.Call("PATCH", settings, body), http.StatusBadRequest, latchkey.Invalid); said.Details.Field != field {
					t.Errorf("%s: field %q, want %q", body, said.Details.Field, field)
				}
			})
		}
	}
	if got := fmt.Sprint(h.audit("").List); got != "[]" {
		t.Errorf("records of nothing: %s", got)
	}
}
