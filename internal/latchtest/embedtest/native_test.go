package embedtest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

// nativeURIs are the redirect URIs of an app on a phone: its own scheme, and a
// universal link (RFC 8252, sections 7.1 and 7.2).
var nativeURIs = []string{"example.shop:/linked", "https://shop.example/linked"}

func newNative(t *testing.T) *latchtest.Server {
	s := latchtest.Start(t, latchtest.Options{})
	s.ChangeApp(latchkey.AppRedirect, func(app *latchkey.ClientApp) {
		app.Domain, app.RedirectURIs, app.Providers = "shop.example", nativeURIs, []string{"sandbox"}
	})
	return s
}

func TestAnAppOnAPhoneIsReturnedTo(t *testing.T) {
	s, wrong, walks := newNative(t), 0, 0
	begin := func(uri string) latchtest.Link {
		return s.Init(map[string]any{"clientAppId": s.Trial.ClientApps[latchkey.AppRedirect], "redirectUrl": uri, "clientReferenceId": "user_1"})
	}
	back := func(t *testing.T, uri, landed string, want string) {
		t.Helper()
		walks++
		parsed, err := url.Parse(landed)
		if err != nil || !strings.HasPrefix(landed, uri+"?") || parsed.Query().Get("status") != want || parsed.Query().Get("client_reference_id") != "user_1" {
			wrong++
			t.Errorf("it goes to %q, want %s with %s", landed, uri, want)
		}
	}
	for _, uri := range nativeURIs {
		scheme, _, _ := strings.Cut(uri, "://")
		if scheme == uri {
			scheme = "example.shop:"
		} else {
			scheme = "https://shop.example"
		}
		t.Run("without a script to "+uri, func(t *testing.T) {
			for want, walk := range map[string]func(*latchtest.Visit){
				"cancelled": func(v *latchtest.Visit) { v.Submit("cancel") },
				"success": func(v *latchtest.Visit) {
					v.Consent().Submit("continue", "username", "jo@creator.sandbox.com", "password", good)
				},
			} {
				visit := s.Visit(begin(uri).URL)
				if policy := visit.Answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "; form-action 'self' "+scheme+";") {
					t.Errorf("the policy is %s", policy)
				}
				if walk(visit); visit.Landed == nil {
					t.Fatalf("it stays at %s", visit.Text())
				}
				back(t, uri, visit.Landed.String(), want)
			}
		})
	}
	t.Run("near misses are refused", func(t *testing.T) {
		for _, near := range []string{"example.shop:/linked/", "example.shop:/Linked", "example.shop://linked", "EXAMPLE.SHOP:/linked", "example.shop:/linked?x",
			"example.shop:/linked#", "example.shop:linked", "shop.example:/linked", "https://shop.example/linked/", "https://shop.example:443/linked", "http://shop.example/linked"} {
			walks++
			if answer := s.Call("POST", "/v2/link/init", map[string]any{"clientAppId": s.Trial.ClientApps[latchkey.AppRedirect], "redirectUrl": near}); answer.Status != http.StatusBadRequest {
				wrong++
				t.Errorf("%s is answered %d", near, answer.Status)
			}
		}
	})
	browser := shottest.Open(t)
	// What web views of apps lack, before a page's script sees it.
	bare := `delete window.EventSource; window.open = undefined; for (const name of ["localStorage", "sessionStorage", "indexedDB"]) Object.defineProperty(window, name, {get() { throw new DOMException("denied", "SecurityError") }}); history.replaceState = () => { throw new Error("no") };`
	for what, phone := range map[string]struct {
		agent, script string
		plain         bool
	}{
		"in a browser":              {},
		"in a browser, no script":   {plain: true},
		"in the web view of an app": {script: bare},
		"in a web view of iOS":      {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148", bare, false},
		"in a web view of Android":  {"Mozilla/5.0 (Linux; Android 15; Pixel 9 Build/AP4A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/137.0.0.0 Mobile Safari/537.36", bare, false},
	} {
		t.Run(what, func(t *testing.T) {
			for _, uri := range nativeURIs {
				ways := map[string]func(shottest.Frame){"success": scenarios[4].walk, "cancelled": scenarios[8].walk}
				if phone.plain { // an approval elsewhere is asked for by the person, with a button
					ways["success"] = scenarios[0].walk
				}
				for want, walk := range ways {
					tab := browser.Visit(t, "about:blank", shottest.View{Width: 375, Height: 700, Still: true})
					if phone.script != "" {
						tab.Before(phone.script)
					}
					if phone.agent != "" {
						shottest.Call(tab, "be a phone", emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: phone.agent})
					}
					shottest.Call(tab, "choose whether there is JavaScript", emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: phone.plain})
					wanted := tab.Requested()
					tab.Go(begin(uri).URL)
					walk(tab.Top())
					var landed string
					latchtest.Eventually(t, "it leaves for the app", func() bool {
						for _, asked := range wanted() {
							if strings.HasPrefix(asked, uri) {
								landed = asked
							}
						}
						return landed != ""
					})
					back(t, uri, landed, want)
					if strings.HasPrefix(uri, "example") && !phone.plain { // no such app here: the last page says what to do
						tab.Top().Until("there is a way back", `document.querySelector("main a[data-return]").getAttribute("href") === `+`"`+landed+`"`)
					}
					tab.Close()
				}
			}
		})
	}
	fmt.Printf("RESULT mobile %d 0\nRESULT mobile.n %d 35\n", wrong, walks)
}
