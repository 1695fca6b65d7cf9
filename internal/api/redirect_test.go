package api_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
)

func TestARedirectURIIsEqualByteForByte(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{Idle: true})
	registered := []string{
		"https://shop.example/back", "https://shop.example/with?a=1&b=%2F", "com.example.shop:/back",
		"http://127.0.0.1/callback", "http://[::1]:3000/callback?x=1", "http://localhost:3000/callback", "http://127.0.0.1:9",
	}
	tenant := newTenant(s, func(app *latchkey.ClientApp) { app.RedirectURIs = registered })
	h := house{Server: s, mine: tenant}
	ask := func(uri string) latchtest.Answer {
		return s.Call("POST", "/v2/link/init", map[string]any{"redirectUrl": uri}, "apikey", tenant.key)
	}
	for _, uri := range append([]string{
		"http://127.0.0.1:1/callback", "http://127.0.0.1:80/callback", "http://127.0.0.1:65535/callback",
		"http://[::1]/callback?x=1", "http://[::1]:49152/callback?x=1", "http://127.0.0.1", "http://127.0.0.1:50000",
	}, registered...) {
		if answer := ask(uri); answer.Status != http.StatusOK {
			t.Errorf("%s: status %d: %s", uri, answer.Status, answer.Body)
		}
	}
	hostile := []string{
		// the same to a browser, or nearly
		"https://shop.example/back/", "https://shop.example/back?", "https://shop.example/back#", "https://shop.example/back?x=1",
		"https://shop.example/back#x", "https://shop.example:443/back", "HTTPS://shop.example/back", "https://SHOP.example/back",
		"https://shop.example./back", "https://shop.example//back", "https://shop.example/./back", "https://shop.example/x/../back",
		"https://shop.example/%62ack", "https://shop.example/Back", "https://shop.example\\back", "https:/shop.example/back",
		"https:shop.example/back", "//shop.example/back", "/back", "shop.example/back", "http://shop.example/back",
		" https://shop.example/back", "https://shop.example/back ", "https://shop.example/back\n", "\thttps://shop.example/back",
		"https://shop.example/ba\tck", "https://shop.example/back\x00", "https://shop.example/back%00", "https://shop.example/back%0d%0aX:y",
		"https://shop.example/with?b=%2F&a=1", "https://shop.example/with?a=1&b=/", "https://shop.example/with?a=1&b=%2f",
		"https://shop.example/with?a=1", "https://shop.example/with?a=1&b=%2F&c=2", "https://shop.example/with",
		// another host
		"https://evil.example/back", "https://shop.example.evil.example/back", "https://evil.example/https://shop.example/back",
		"https://shop.example@evil.example/back", "https://user:pass@shop.example/back", "https://evil.example#@shop.example/back",
		"https://evil.example\\@shop.example/back", "https://evil.example?@shop.example/back", "https://sub.shop.example/back",
		"https://shop.examp1e/back", "https://shоp.example/back", "https://shop.example%2eevil.example/back", "https://shop。example/back",
		"https://*.example/back", "https://shop.example/*", "*", "https://shop.example/back,https://evil.example/",
		// another scheme
		"javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "com.example.shop:/back2", "com.example.shop://back",
		"com.example.shop:back", "COM.example.shop:/back", "blob:https://shop.example/back", "view-source:https://shop.example/back",
		// loopback, where only the port is free
		"http://127.0.0.1:0/callback", "http://127.0.0.1:65536/callback", "http://127.0.0.1:080/callback", "http://127.0.0.1:/callback",
		"http://127.0.0.1:3000/callback/", "http://127.0.0.1:3000/callback?x", "http://127.0.0.1:3000/other", "http://127.0.0.1:3000/",
		"http://127.0.0.1:3000callback", "http://127.0.0.1:-1/callback", "http://127.0.0.1:+80/callback", "http://127.0.0.1:8 0/callback",
		"http://127.0.0.1:999999999999999999999/callback", "http://127.0.0.1:80@evil.example/callback", "http://127.0.0.1@evil.example/callback",
		"http://127.0.0.1.evil.example/callback", "http://127.0.0.1:80.evil.example/callback", "http://127.0.0.1:80:90/callback",
		"http://127.0.0.2/callback", "http://127.1/callback", "http://2130706433/callback", "http://0x7f.0.0.1/callback",
		"http://127.0.0.1./callback", "http://[::ffff:127.0.0.1]/callback", "http://0.0.0.0/callback", "https://127.0.0.1/callback",
		"HTTP://127.0.0.1/callback", "http://[::1]:80/callback", "http://[0:0:0:0:0:0:0:1]:80/callback?x=1", "http://[::1%25lo]/callback?x=1",
		"http://127.0.0.1:3000/callback?x=1", "http://[::1]/callback", "http://127.0.0.1:9/callback#", "http://127.0.0.1:3000\\callback",
		"http://localhost/callback", "http://localhost:3001/callback", "http://LOCALHOST:3000/callback", "http://localhost.:3000/callback",
		"http://127.0.0.1:3000/callback" + strings.Repeat("x", 5000), "https://shop.example/back" + strings.Repeat("/", 5000),
	}
	if len(hostile) < 60 {
		t.Fatalf("only %d variants are tried", len(hostile))
	}
	for _, uri := range hostile {
		h.untouched(uri, func() {
			said := h.refused(ask(uri), http.StatusBadRequest, latchkey.Invalid)
			if said.Details.Field != "redirectUrl" || said.Message != "redirectUrl is not registered for this client app" {
				t.Errorf("%q: field %q: %s", uri, said.Details.Field, said.Message)
			}
		})
	}
	t.Run("without one it is the app's first", func(t *testing.T) {
		made := latchtest.Decode[latchtest.Link](s, s.Want(http.StatusOK, "POST", "/v2/link/init", map[string]any{}, "apikey", tenant.key))
		stored, err := s.App.Store().LinkSessionBySecret(t.Context(), latchkey.HashClientSecret(made.Secret()))
		if err != nil || stored.Request.RedirectURL != registered[0] {
			t.Errorf("redirect %q, %v", stored.Request.RedirectURL, err)
		}
	})
}
