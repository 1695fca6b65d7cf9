package hosted_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
)

const (
	shopOrigin = "https://shop.example"
	embedded   = "?embed=true&embed_origin=https%3A%2F%2Fshop.example"
)

// embedding is a link in an app that has registered an origin.
type embedding struct {
	*latchtest.Server
	link  latchtest.Link
	query string
}

func newEmbedding(t *testing.T, change func(*latchkey.ClientApp), body map[string]any) embedding {
	t.Helper()
	s := latchtest.Start(t, latchtest.Options{Idle: true})
	s.ChangeApp(latchkey.AppEmbed, func(app *latchkey.ClientApp) {
		app.AllowedOrigins, app.RedirectURIs = []string{shopOrigin}, []string{shopOrigin + "/back"}
		app.Providers = []string{"sandbox"}
		if change != nil {
			change(app)
		}
	})
	asked := map[string]any{"clientAppId": s.Trial.ClientApps[latchkey.AppEmbed], "clientReferenceId": "user_1"}
	for name, value := range body {
		asked[name] = value
	}
	return embedding{s, s.Init(asked), embedded}
}

// ask sends a request as the page's script does, and returns the page that
// came of it.
func (e embedding) ask(method, form string, headers ...string) *goquery.Document {
	e.Helper()
	more := append([]string{"apikey", "", "X-Latchkey-Script", "1", "Sec-Fetch-Site", "same-origin"}, headers...)
	var body any
	if form != "" {
		body = form
		more = append(more, "Content-Type", "application/x-www-form-urlencoded")
	}
	path := "/" + e.link.Secret() + e.query
	answer := e.Call(method, path, body, more...)
	for answer.Status == http.StatusSeeOther {
		target := answer.Header.Get("Location")
		if !strings.HasPrefix(target, "/") {
			e.Fatalf("the script is sent to %s", target)
		}
		answer = e.Call("GET", target, nil, more[:6]...)
	}
	document, err := goquery.NewDocumentFromReader(strings.NewReader(string(answer.Body)))
	if err != nil {
		e.Fatal(err)
	}
	return document
}

// step presses a button of the page that is there now.
func (e embedding) step(action string, fields ...string) *goquery.Document {
	e.Helper()
	version := e.ask("GET", "").Find("main form input[name=version]").AttrOr("value", "")
	form := url.Values{"version": {version}, "action": {action}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return e.ask("POST", form.Encode())
}

// told are the messages of a page.
func told(t testing.TB, page *goquery.Document) []map[string]any {
	t.Helper()
	text, ok := page.Find("body").Attr("data-messages")
	if !ok {
		return nil
	}
	var messages []map[string]any
	if err := json.Unmarshal([]byte(text), &messages); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return messages
}

func attribute(page *goquery.Document, name string) string {
	return page.Find("body").AttrOr("data-"+name, "")
}

func TestTheHostIsToldOfTheEnd(t *testing.T) {
	login := func(e embedding, address string) *goquery.Document {
		e.step("continue")
		e.step("approve")
		return e.step("continue", "username", address, "password", "good-password")
	}
	exit := func(kind, step string, failure any) map[string]any {
		metadata := map[string]any{"type": kind, "error": failure}
		if step != "" {
			metadata["step"] = step
		}
		return map[string]any{"type": "OFAUTH_LINK", "event": "exit", "metadata": metadata}
	}
	for what, c := range map[string]struct {
		walk func(embedding) *goquery.Document
		want map[string]any
	}{
		"cancelled first":  {func(e embedding) *goquery.Document { return e.step("cancel") }, exit("user_exit", "pre-login", nil)},
		"denied":           {func(e embedding) *goquery.Document { e.step("continue"); return e.step("deny") }, exit("user_exit", "pre-login", nil)},
		"cancelled later":  {func(e embedding) *goquery.Document { e.step("continue"); e.step("approve"); return e.step("cancel") }, exit("user_exit", "login", nil)},
		"cancelled at 2fa": {func(e embedding) *goquery.Document { login(e, "jo@creator-otp.sandbox.com"); return e.step("cancel") }, exit("user_exit", "2fa", nil)},
		"locked": {func(e embedding) *goquery.Document {
			if page := login(e, "jo@locked.sandbox.com"); attribute(page, "page") != "error" || told(e.TB, page)[0]["event"] != "sandbox_info" {
				e.Errorf("it is told before it is read: %v", told(e.TB, page))
			}
			return e.step("continue")
		}, exit("error", "error", map[string]any{"error_type": "account_locked", "error_message": "Sandbox has locked this account"})},
	} {
		t.Run(what, func(t *testing.T) {
			e := newEmbedding(t, nil, nil)
			page := c.walk(e)
			if diff := cmp.Diff([]map[string]any{c.want}, told(t, page)); diff != "" {
				t.Error(diff)
			}
			if attribute(page, "host") != shopOrigin || !strings.HasPrefix(attribute(page, "leave"), shopOrigin+"/back?") {
				t.Errorf("the host is %q, the way back %q", attribute(page, "host"), attribute(page, "leave"))
			}
		})
	}
	t.Run("linked", func(t *testing.T) {
		e := newEmbedding(t, nil, nil)
		page := login(e, "jo@creator.sandbox.com")
		made := e.Connections()[0]
		user := map[string]any{"id": made.UserData.ID, "name": made.UserData.Name, "username": made.UserData.Username, "avatar": nil}
		if made.UserData.Avatar != nil {
			user["avatar"] = *made.UserData.Avatar
		}
		want := []map[string]any{{"type": "OFAUTH_LINK", "event": "success", "metadata": map[string]any{
			"successUrl": attribute(page, "leave"), "redirect": false, "user": user,
			"connection": map[string]any{"id": made.ID, "userData": user},
		}}}
		if diff := cmp.Diff(want, told(t, page)); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(attribute(page, "leave"), "connection_id="+made.ID) || attribute(page, "page") != "done" {
			t.Errorf("it leads to %q", attribute(page, "leave"))
		}
	})
	t.Run("to be confirmed", func(t *testing.T) {
		e := newEmbedding(t, func(app *latchkey.ClientApp) { app.RequireConfirmation = true }, nil)
		page := login(e, "jo@creator.sandbox.com")
		metadata, _ := told(t, page)[0]["metadata"].(map[string]any)
		if back := fmt.Sprint(metadata["successUrl"]); metadata["connection"] != nil || metadata["user"] != nil || !strings.Contains(back, "code=") || strings.Contains(back, "connection_id") {
			t.Errorf("it tells %v", metadata)
		}
	})
}

func TestOnlyTheAppsOwnOriginIsTold(t *testing.T) {
	named := map[string]any{"origin": shopOrigin}
	for what, c := range map[string]struct {
		init    map[string]any
		query   string
		host    string
		foreign bool
	}{
		"the origin in the query":            {nil, embedded, shopOrigin, false},
		"the one that init named":            {named, "?embed=true", shopOrigin, false},
		"nobody without embedding":           {named, "?embed_origin=https%3A%2F%2Fshop.example", "", false},
		"nobody when none is named":          {nil, "?embed=true", "", false},
		"no sibling":                         {nil, "?embed=true&embed_origin=https%3A%2F%2Fwww.shop.example", "", true},
		"no other than init named":           {named, "?embed=true&embed_origin=http%3A%2F%2Flocalhost%3A3000", "", true},
		"not with a path":                    {nil, "?embed=true&embed_origin=https%3A%2F%2Fshop.example%2F", "", true},
		"not in another case":                {nil, "?embed=true&embed_origin=https%3A%2F%2FShop.example", "", true},
		"not everybody":                      {nil, "?embed=true&embed_origin=*", "", true},
		"not what is no origin":              {nil, "?embed=true&embed_origin=null", "", true},
		"not a second one":                   {nil, "?embed=true&embed_origin=https%3A%2F%2Fevil.example&embed_origin=https%3A%2F%2Fshop.example", "", true},
		"not what only looks like embedding": {nil, "?embed=1&embed_origin=https%3A%2F%2Fshop.example", "", false},
	} {
		t.Run(what, func(t *testing.T) {
			e := newEmbedding(t, nil, c.init)
			e.query = c.query
			page := e.ask("GET", "")
			if got := attribute(page, "host"); got != c.host {
				t.Errorf("%q is told, want %q", got, c.host)
			}
			if (attribute(page, "page") == "foreign") != c.foreign || (told(t, page) != nil) != (c.host != "") {
				t.Errorf("the page is %s and tells %v", attribute(page, "page"), told(t, page))
			}
			if link := page.Find("main a"); c.foreign && (link.AttrOr("href", "") != "/"+e.link.Secret() || link.AttrOr("target", "") != "_blank" || link.AttrOr("rel", "") != "noopener noreferrer") {
				t.Errorf("the way out is %q", link.AttrOr("href", ""))
			}
		})
	}
	t.Run("a link that is no more tells nothing but that", func(t *testing.T) {
		e := newEmbedding(t, nil, nil)
		e.Want(http.StatusNoContent, "DELETE", "/v2/link/"+e.link.Secret(), nil)
		want := []map[string]any{{"type": "OFAUTH_LINK", "event": "invalid_session"}}
		if diff := cmp.Diff(want, told(t, e.ask("GET", ""))); diff != "" {
			t.Error(diff)
		}
		for _, query := range []string{"?embed=true&embed_origin=*", "?embed=true&embed_origin=null", "?embed=true&embed_origin=https%3A%2F%2Fshop.example%2Fx", "?embed=true"} {
			e.query = query
			if page := e.ask("GET", ""); told(t, page) != nil || attribute(page, "host") != "" {
				t.Errorf("%s: %q is told %v", query, attribute(page, "host"), told(t, page))
			}
		}
	})
	t.Run("an expired one too", func(t *testing.T) {
		e := newEmbedding(t, nil, nil)
		e.Clock.Move(31 * time.Minute)
		if page := e.ask("GET", ""); told(t, page)[0]["event"] != "invalid_session" || attribute(page, "page") != "expired" {
			t.Errorf("the page is %s and tells %v", attribute(page, "page"), told(t, page))
		}
	})
	t.Run("where nothing is real it says how to log in", func(t *testing.T) {
		e := newEmbedding(t, nil, nil)
		e.step("continue")
		metadata, _ := told(t, e.ask("GET", ""))[0]["metadata"].(map[string]any)
		scenarios, _ := metadata["scenarios"].([]any)
		if metadata["currentScreen"] != "authorization" || metadata["activeScenarioId"] != nil || len(scenarios) < 10 {
			t.Fatalf("it tells %v", metadata)
		}
		want := map[string]any{"id": "creator-otp", "accountType": "creator", "loginType": "app_otp", "password": "good-password", "otpCode": "123456"}
		if diff := cmp.Diff(want, scenarios[2]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAPageThatWaitsIsToldOfChanges(t *testing.T) {
	e := newEmbedding(t, nil, nil)
	path := "/s/" + e.link.Secret() + "/events"
	request, err := http.NewRequestWithContext(t.Context(), "GET", e.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.Header.Get("Content-Type") != "text/event-stream" || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the stream is %v", answer.Header)
	}
	lines := bufio.NewScanner(answer.Body)
	var said []string
	for lines.Scan() {
		if line := lines.Text(); line != "" {
			said = append(said, line)
		}
		if len(said) == 2 && lines.Text() == "" {
			e.step("continue")
		}
	}
	first, last := strings.Join(said[:2], " "), strings.Join(said[len(said)-2:], " ")
	if first != "event: look data: 1" || last != "event: change data: 2" {
		t.Errorf("it says %q", said)
	}
	for _, gone := range []string{"/s/cs_0000/events", "/s/nonsense/events"} {
		if answer := e.Call("GET", gone, nil, "apikey", ""); answer.Status != http.StatusNotFound {
			t.Errorf("%s is answered %d", gone, answer.Status)
		}
	}
}
