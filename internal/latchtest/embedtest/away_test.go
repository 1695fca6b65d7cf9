package embedtest

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

// away is a provider whose login is a page of its own, which nobody may frame,
// as those of real ones are.
type away struct{ url string }

// newAway starts the provider's site, on another site than the app's.
func newAway(t testing.TB) away {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("X-Frame-Options", "DENY")
		query := r.URL.Query()
		back := query.Get("redirect_uri") + "?state=" + url.QueryEscape(query.Get("state"))
		_, _ = fmt.Fprintf(w, `<!doctype html><title>Own</title><h1 id="own">Own</h1><a id="allow" href="%s">Allow</a><a id="refuse" href="%s">Refuse</a>`,
			html.EscapeString(back+"&code=ada"), html.EscapeString(back+"&error=access_denied"))
	}))
	t.Cleanup(site.Close)
	return away{site.URL}
}

func (a away) Describe() connector.Description {
	return connector.Description{
		ID: "away", Name: "Away", Domain: "away.example", OwnPage: true, Environments: []latchkey.Environment{latchkey.Sandbox},
	}
}

func (a away) Advance(_ context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	if flow.State == nil {
		query := url.Values{"redirect_uri": {flow.CallbackURL}, "state": {flow.RedirectState}}
		return connector.Redirect{URL: a.url + "/authorize?" + query.Encode(), State: []byte(flow.RedirectState)}, nil
	}
	if input.Query.Get("state") != string(flow.State) {
		return nil, errors.New("the answer belongs to nothing")
	}
	if input.Query.Has("error") {
		return nil, &connector.Failure{Code: latchkey.FailureAccessDenied, Reason: "refused there"}
	}
	return connector.Done{
		User:       latchkey.UserData{ID: "ada", Name: "Ada", Username: "ada"},
		Credential: connector.Credential{Secret: []byte("token")},
	}, nil
}

// press follows a link of the provider's page.
func press(f shottest.Frame, link string) {
	f.Until("the provider's page is there", `!!document.querySelector("#own")`)
	f.Until("it is left by "+link, fmt.Sprintf(`(document.querySelector("#%s").click(), true)`, link))
}

// TestTheProvidersOwnPage walks to a provider that lets nobody frame its page
// and back, in every mode, without third-party cookies, with and without a
// confirmation by the app.
func TestTheProvidersOwnPage(t *testing.T) {
	own := newAway(t)
	h := newHouseWith(t, latchtest.Options{Connectors: []connector.Connector{own}}, "test-third-party-cookie-phaseout")
	good, bad := 0, 0
	for _, confirm := range []bool{false, true} {
		h.ChangeApp(latchkey.AppEmbed, func(app *latchkey.ClientApp) {
			app.Providers, app.RequireConfirmation = []string{"away"}, confirm
		})
		for _, mode := range []string{"iframe", "popup", "redirect"} {
			for _, link := range []string{"allow", "refuse"} {
				ok := t.Run(fmt.Sprintf("%s %s, confirmed %v", mode, link, confirm), func(t *testing.T) {
					h.in(t).goesAway(mode, link, confirm)
				})
				if good++; !ok {
					bad++
				}
			}
		}
	}
	fmt.Printf("RESULT S-11.away %d of %d 0\n", bad, good)
}

func (h *house) goesAway(mode, link string, confirm bool) {
	tab := h.visit("")
	defer tab.Close()
	page := tab.Frame(h.URL)
	switch mode {
	case "iframe":
		tab.Click("#iframe")
		consent(page)
		page.Until("the way to the provider is there", `document.body.dataset.page === "redirect"`)
		window := h.browser.Opened(h.TB, tab, func() {
			page.Until("the provider is opened", `(document.querySelector("a[data-provider]").click(), true)`)
		})
		press(window.Top(), link)
	case "popup":
		window := h.window(tab, "#popup")
		page = window.Top()
		consent(page)
		press(page, link)
	case "redirect":
		tab.Click("#redirect")
		page = tab.Top()
		consent(page)
		press(page, link)
	}
	if link == "refuse" {
		page.Until("it is explained", `document.body.dataset.page === "error"`)
		page.Fill("continue", nil)
	}
	h.cameBack(tab, mode, link, confirm)
}

// cameBack looks at what the app was told.
func (h *house) cameBack(tab *shottest.Tab, mode, link string, confirm bool) {
	query := url.Values{}
	switch {
	case mode == "redirect":
		query = landed(tab)
	case link == "allow":
		back, err := url.Parse(fmt.Sprint(h.heard(tab, "success")["successUrl"]))
		if err != nil {
			h.Fatal(err)
		}
		query = back.Query()
	default:
		told := h.heard(tab, "close")
		failed, _ := told["error"].(map[string]any)
		query.Set("error_code", fmt.Sprint(failed["error_type"]))
	}
	switch {
	case link == "refuse":
		if query.Get("error_code") != "access_denied" {
			h.Errorf("the app is told %v", query)
		}
	case confirm:
		h.Want(http.StatusOK, "POST", "/v2/link/confirm", map[string]any{"code": query.Get("code"), "clientReferenceId": "user_1"})
	default:
		h.Want(http.StatusOK, "GET", "/v2/account/connections/"+query.Get("connection_id"), nil)
	}
	if mode != "redirect" {
		h.tidy(tab, scenario{close: map[bool]string{true: "error", false: ""}[link == "refuse"]})
	}
}

// TestALinkByKeyboardAlone never touches a mouse: the button of the app, the
// pages in the dialog, a refusal, a second factor.
func TestALinkByKeyboardAlone(t *testing.T) {
	h := newHouse(t)
	for _, mode := range []string{"iframe", "redirect"} {
		t.Run(mode, func(t *testing.T) {
			h := h.in(t)
			tab := h.visit("")
			defer tab.Close()
			page := tab.Frame(h.URL)
			if mode == "redirect" {
				page = tab.Top()
			}
			on := func(name string) {
				page.Until("the page "+name+" is there", fmt.Sprintf(`document.body.dataset.page === %q && !document.body.hasAttribute("aria-busy")`, name))
			}
			to := func(where shottest.Frame, selector string) {
				for range 40 {
					if where.Try(fmt.Sprintf(`document.hasFocus() && !!document.activeElement && document.activeElement.matches(%q)`, selector)) {
						return
					}
					tab.Press(kb.Tab)
				}
				h.Fatalf("the keyboard does not reach %s", selector)
			}
			to(tab.Top(), "#"+mode)
			tab.Press(kb.Enter)
			on("pre-login")
			to(page, "button[value=continue]")
			tab.Press(kb.Enter)
			on("authorization")
			to(page, "button[value=approve]")
			tab.Press(kb.Enter)
			for _, password := range []string{"wrong", good} {
				on("login")
				to(page, "input[name=username]")
				if password != good {
					tab.Press("jo@creator-otp.sandbox.com")
				}
				to(page, "input[name=password]")
				tab.Press(password + kb.Enter)
				if password != good {
					refused(page)
					page.Until("the name is still there", `document.querySelector("input[name=username]").value === "jo@creator-otp.sandbox.com"`)
				}
			}
			on("2fa")
			to(page, "input[name=code]")
			tab.Press("123456" + kb.Enter)
			if mode == "redirect" {
				if query := landed(tab); query.Get("status") != "success" {
					t.Errorf("landed with %v", query)
				}
				return
			}
			h.succeeded(tab)
			h.tidy(tab, scenario{})
		})
	}
}
