package demo_test

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
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
	if said := sent(s, "/demo/call", "connection="+id); said.Status != http.StatusOK || !strings.Contains(string(said.Body), "/v2/access/proxy/posts\n200") {
		t.Errorf("the proxied call is answered %d %s", said.Status, said.Body)
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
	finish(window.Top())
	shows("onSuccess")
	tab.Top().Until("the page is loaded again", `!document.body.innerText.includes("onSuccess")`)
	tab.Click("[data-call] button")
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
}
