package demo_test

import (
	"crypto/rand"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"latchkey/internal/demo"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
	"latchkey/internal/web"
)

// folder is where a picture of the shop is kept; "" keeps none.
var folder = flag.String("screenshots", "", "folder to keep a picture of the demo shop in")

// open starts Latchkey with the shop beside it.
func open(t *testing.T) *latchtest.Server {
	t.Helper()
	s := latchtest.Start(t, latchtest.Options{})
	if err := s.App.Demo(s.Trial); err != nil {
		t.Fatal(err)
	}
	return s
}

// sent posts a form of the shop as a browser does.
func sent(s *latchtest.Server, path, body string, headers ...string) latchtest.Answer {
	return s.Call("POST", path, body, append([]string{"apikey", "", "Content-Type", "application/x-www-form-urlencoded",
		"Sec-Fetch-Site", "same-origin"}, headers...)...)
}

func TestTheShopWorksWithoutAScript(t *testing.T) {
	s := open(t)
	page := func(path string) string { return string(s.Want(http.StatusOK, "GET", path, nil, "apikey", "").Body) }
	if first := page("/demo"); !strings.Contains(first, "None yet") || strings.Contains(first, "webhook, signature verified") {
		t.Errorf("the shop begins with %s", first)
	}
	asked := sent(s, "/demo/link", "")
	if asked.Status != http.StatusSeeOther || !strings.HasPrefix(asked.Header.Get("Location"), s.URL+"/cs_") {
		t.Fatalf("the way to the page is %d %s", asked.Status, asked.Header.Get("Location"))
	}
	visit := s.Visit(asked.Header.Get("Location"))
	if visit.Page.Find("input[value=sandbox]").Length() == 1 {
		visit.Submit("continue", "provider", "sandbox")
	} else {
		visit.Submit("continue")
	}
	visit.Submit("approve").Submit("continue", "username", "jo@creator.sandbox.com", "password", "good-password")
	landed, err := url.Parse(visit.URL)
	if err != nil || landed.Path != "/callback" {
		t.Fatalf("the link ends at %s: %s", visit.URL, visit.Text())
	}
	back := s.Call("GET", landed.RequestURI()+"&evil=1", nil, "apikey", "")
	if to := back.Header.Get("Location"); back.Status != http.StatusSeeOther || !strings.HasPrefix(to, "/demo?connection_id=conn_") || strings.Contains(to, "evil") {
		t.Fatalf("the way back is %d %s", back.Status, to)
	}
	id := landed.Query().Get("connection_id")
	if shown := page(back.Header.Get("Location")); strings.Count(shown, id) < 3 || !strings.Contains(shown, "<strong>success</strong>") {
		t.Errorf("the shop shows %s", shown)
	}
	latchtest.Eventually(t, "a webhook arrives", func() bool { return strings.Contains(page("/demo"), "connection.created") })
	for what, want := range map[string]string{"self": "GET /v2/access/self\n200\n{", "posts": "GET /v2/access/proxy/posts\n200\n{", "": "", "../self": ""} {
		said := sent(s, "/demo/call", "connection="+id+"&what="+url.QueryEscape(what))
		if (said.Status == http.StatusOK) != (want != "") || !strings.Contains(string(said.Body), want) {
			t.Errorf("the call of %q is answered %d %s", what, said.Status, said.Body)
		}
	}
	for name, body := range map[string]string{"no connection": "", "another's": "connection=conn_000"} {
		if said := sent(s, "/demo/disconnect", body); said.Status != http.StatusNotFound {
			t.Errorf("%s: answered %d", name, said.Status)
		}
	}
	if said := sent(s, "/demo/disconnect", "connection="+id); said.Status != http.StatusSeeOther {
		t.Errorf("the disconnection is answered %d", said.Status)
	}
	if !strings.Contains(page("/demo"), "None yet") {
		t.Error("the account is still linked")
	}
}

func TestTheShopBelievesNobody(t *testing.T) {
	s := open(t)
	if said := s.Call("POST", "/demo/webhook", `{"id":"evt_1","type":"connection.created","data":{}}`, "apikey", ""); said.Status != http.StatusUnauthorized {
		t.Errorf("before it listens a webhook is answered %d", said.Status)
	}
	sent(s, "/demo/link", "", "X-Demo-Script", "1")
	if said := s.Call("POST", "/demo/webhook", `{"id":"evt_1","type":"connection.created","data":{}}`, "apikey", "",
		"webhook-id", "evt_1", "webhook-timestamp", "1", "webhook-signature", "v1,x"); said.Status != http.StatusUnauthorized {
		t.Errorf("a forged webhook is answered %d", said.Status)
	}
	for _, path := range []string{"/demo/link", "/demo/call", "/demo/disconnect"} {
		if said := s.Call("POST", path, "", "apikey", "", "Sec-Fetch-Site", "cross-site", "Content-Type", "application/x-www-form-urlencoded"); said.Status != http.StatusForbidden {
			t.Errorf("%s from another site is answered %d", path, said.Status)
		}
	}
	elsewhere := httptest.NewRequest("GET", "/demo", nil)
	elsewhere.Host = "localhost:8080"
	said := httptest.NewRecorder()
	s.App.Handler().ServeHTTP(said, elsewhere)
	if said.Code != http.StatusSeeOther || said.Header().Get("Location") != s.URL+"/demo" {
		t.Errorf("at another host it is answered %d %s", said.Code, said.Header().Get("Location"))
	}
	// After a new start the endpoint is there once.
	again := latchtest.Decode[struct {
		List []struct{} `json:"list"`
	}](s, s.Want(200, "GET", "/v2/webhook-endpoints", nil))
	if len(again.List) != 1 {
		t.Errorf("there are %d endpoints", len(again.List))
	}
}

func TestTheShopIsNoLooserThanTheProduct(t *testing.T) {
	if said := latchtest.Start(t, latchtest.Options{}).Call("GET", "/demo", nil, "apikey", ""); said.Status != http.StatusNotFound {
		t.Errorf("without the shop it is answered %d", said.Status)
	}
	s := open(t)
	shown := s.Want(http.StatusOK, "GET", "/demo", nil, "apikey", "")
	policy := shown.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none';", "script-src 'self';", "connect-src 'self';", "style-src 'self';", "img-src 'self';", "frame-src 'self';", "base-uri 'none';",
		"require-trusted-types-for 'script';", "form-action 'self';", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("the policy %s lacks %s", policy, part)
		}
	}
	for _, inline := range []string{"<style", "style=", "<script>", "onclick", s.Trial.APIKey, "unsafe-"} {
		if strings.Contains(string(shown.Body)+policy, inline) {
			t.Errorf("the page has %q", inline)
		}
	}
	trial, other := s.Trial, web.New(web.Config{Now: s.Clock.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err := demo.Register(other, demo.Config{URL: strings.Replace(s.URL, "127.0.0.1", "localhost", 1), APIKey: trial.APIKey, ClientApps: trial.ClientApps, Now: s.Clock.Now}); err != nil {
		t.Fatal(err)
	}
	asked := httptest.NewRequest("GET", "/demo", nil)
	asked.Host = strings.Replace(strings.TrimPrefix(s.URL, "http://"), "127.0.0.1", "localhost", 1)
	said := httptest.NewRecorder()
	other.ServeHTTP(said, asked)
	if text := said.Body.String(); said.Code != http.StatusOK || !strings.Contains(text, `id="redirect" disabled`) || !strings.Contains(text, "--listen 127.0.0.1:8080") {
		t.Errorf("elsewhere it is answered %d %s", said.Code, text)
	}
}

func TestTwoMinutesInABrowser(t *testing.T) {
	s := open(t)
	browser := shottest.Open(t, shottest.Flags(shottest.Together...)...)
	tab := browser.Visit(t, s.URL+"/demo", shottest.View{Width: 1280, Height: 900, Still: true})
	finish := func(f shottest.Frame) {
		f.Until("the first page is there", `document.body.dataset.page === "pre-login"`)
		choice := map[string]string{}
		if f.Try(`!!document.querySelector("input[value=sandbox]")`) {
			choice["provider"] = "sandbox"
		}
		f.Fill("continue", choice)
		f.Until("the consent is there", `document.body.dataset.page === "authorization"`)
		f.Fill("approve", nil)
		f.Until("the login is there", `document.body.dataset.page === "login"`)
		f.Fill("continue", map[string]string{"username": "jo@creator.sandbox.com", "password": "good-password"})
	}
	shows := func(what string) {
		t.Helper()
		tab.Top().Until("the shop shows "+what, `document.body.innerText.includes("`+what+`")`)
	}
	tab.Click("#iframe")
	finish(tab.Frame(s.URL + "/cs_"))
	shows("onSuccess")
	tab.Top().Until("the account is listed", `document.querySelectorAll(".accounts li").length === 1`)
	shows("connection.created")
	window := browser.Opened(t, tab, func() { tab.Click("#popup") })
	shottest.Eval[bool](tab, `document.getElementById("linked").dataset.old = document.querySelector("[data-call] [value=self]").focus() ?? true`)
	finish(window.Top())
	shows("onSuccess")
	tab.Top().Until("the list is a fresh one", `!document.getElementById("linked").dataset.old`)
	tab.Top().Until("the keyboard is where it was", `document.activeElement?.closest("#linked") && document.activeElement.value === "self"`)
	tab.Top().Until("both are told", `document.body.innerText.split("onSuccess").length === 3`)
	tab.Click("[data-call] [value=self]")
	shows("GET /v2/access/self")
	tab.Click("[data-call] [value=posts]")
	shows("GET /v2/access/proxy/posts")
	tab.Top().Until("the answer is there", `document.getElementById("answer").textContent.includes("200")`)
	shows("connection.updated")
	if width := shottest.Eval[int](tab, `document.documentElement.scrollWidth - innerWidth`); width > 0 {
		t.Errorf("it is %d pixels too wide", width)
	}
	if *folder != "" {
		if err := os.WriteFile(filepath.Join(*folder, "demo-1280-light.png"), tab.Shot(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tab.Look(shottest.View{Width: 320, Height: 640, Still: true})
	if width := shottest.Eval[int](tab, `document.documentElement.scrollWidth - innerWidth`); width > 0 {
		t.Errorf("on a phone it is %d pixels too wide", width)
	}
	tab.Look(shottest.View{Width: 1280, Height: 900, Still: true})
	tab.Click("#redirect")
	finish(tab.Top())
	shows("Back from the page: success")
	shottest.Call(tab, "turn JavaScript off", emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	tab.Go(s.URL + "/demo")
	tab.Top().Until("only the redirect is offered", `document.querySelectorAll(".ways button:not([hidden])").length === 1`)
	tab.Click("#redirect")
	finish(tab.Top())
	shows("Back from the page: success")
}
