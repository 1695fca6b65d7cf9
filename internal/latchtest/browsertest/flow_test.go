package browsertest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

const good = "good-password"

// outcome is how a link ends.
type outcome struct {
	status string // of the redirect
	step   string // at which it was cancelled
	code   string // of the error
}

var (
	success   = outcome{status: "success"}
	cancelled = func(step string) outcome { return outcome{status: "cancelled", step: step} }
)

// scenario is what a person does after the consent, and how it ends.
type scenario struct {
	name    string
	moves   []move
	outcome outcome
}

// scenarios are those of the sandbox, and leaving at each step. The address of
// a move names the scenario only.
func scenarios() []scenario {
	after := func(moves ...move) []move { return append(consent(), moves...) }
	code := func(code string) move { return move{"2fa", "continue", []string{"code", code}} }
	return []scenario{
		{"good", after(login("creator", good)), success},
		{"wrong password first", after(login("fan", "wrong"), login("fan", good)), success},
		{"one-time code", after(login("creator-otp", good), code("000000"), code("123456")), success},
		{"phone with resend", after(login("phone", good), move{page: "2fa", press: later}, move{page: "2fa", press: "resend"}, code("123456")), success},
		{"locked", after(login("locked", good), move{page: "error", press: "continue"}), outcome{status: "error", code: "account_locked"}},
		{"too many codes", after(login("phone", good), code("1"), code("2"), code("3"), move{page: "error", press: "continue"}), outcome{status: "error", code: "2fa_failed"}},
		{"push", after(login("push", good), move{page: "wait", press: approved}), success},
		{"face", after(login("face", good), move{page: "wait", press: approved}), success},
		{"slow", after(login("slow", good)), success},
		{"expiring", after(login("expiring", good)), success},
		{"down", after(login("down", good), move{page: "login", press: "cancel"}), cancelled("login")},
		{"flaky", after(login("flaky", good), login("flaky", good)), success},
		{"back and forth", after(move{page: "login", press: "back"}, move{page: "authorization", press: "back"},
			consent()[0], consent()[1], login("creator", good)), success},
		{"deny", []move{consent()[0], {page: "authorization", press: "deny"}}, cancelled("authorization")},
		{"cancel before", []move{{page: "pre-login", press: "cancel"}}, cancelled("pre-login")},
		{"cancel at login", after(move{page: "login", press: "cancel"}), cancelled("login")},
		{"cancel at code", after(login("creator-otp", good), move{page: "2fa", press: "cancel"}), cancelled("2fa")},
	}
}

// What a person does beside pressing a button.
const (
	later    = "later"    // comes back half a minute later and looks again
	approved = "approved" // approves on another device; without a script, presses the button too
)

// way is how an app shows a link.
type way struct {
	mode  string // redirect, iframe, popup
	plain bool   // without JavaScript
	slow  bool   // 3G
}

func (w way) String() string {
	switch {
	case w.plain:
		return w.mode + " without JavaScript"
	case w.slow:
		return w.mode + " over 3G"
	}
	return w.mode
}

// alike are the scenarios that are no different within another page.
var alike = []string{"face", "expiring", "slow", "flaky", "back and forth", "too many codes", "down", "phone with resend"}

// TestFlows goes through every scenario in every way.
func TestFlows(t *testing.T) {
	s, browser := newStage(t, latchtest.Options{}), start(t)
	cases := 0
	t.Run("each", func(t *testing.T) {
		for _, w := range []way{
			{mode: "redirect"}, {mode: "redirect", plain: true}, {mode: "iframe"}, {mode: "popup"},
			{mode: "redirect", slow: true}, {mode: "iframe", slow: true},
		} {
			for i, sc := range scenarios() {
				if w.slow && !slices.Contains([]string{"good", "one-time code"}, sc.name) ||
					w.mode != "redirect" && slices.Contains(alike, sc.name) {
					continue
				}
				cases++
				t.Run(w.String()+"/"+sc.name, func(t *testing.T) {
					t.Parallel()
					f := &flow{stage: s, t: t, browser: browser, way: w, scenario: sc, reference: fmt.Sprintf("user %s %d", w, i)}
					f.run()
				})
			}
		}
	})
	fmt.Printf("RESULT flows.n %d 56\n", cases)
}

// flow is one scenario gone through in one way.
type flow struct {
	*stage
	t       *testing.T
	browser *shottest.Browser
	way
	scenario
	reference string
	link      latchtest.Link
	tab       *shottest.Tab // the app's, and with a redirect that of the pages
	page      shottest.Frame
}

func (f *flow) run() {
	f.t.Helper()
	f.tab = f.browser.Person(f.t)
	defer f.tab.Close()
	f.throttle()
	f.open()
	for _, m := range f.moves {
		f.act(m)
	}
	f.ended()
	f.kept()
}

// open shows the first page.
func (f *flow) open() {
	f.t.Helper()
	if f.mode == "redirect" {
		f.link, f.page = f.stage.link(latchkey.AppRedirect, f.reference), f.tab.Top()
		if f.plain {
			scriptless(f.tab)
		}
		f.tab.Go(f.link.URL)
		return
	}
	f.link = f.stage.link(latchkey.AppEmbed, f.reference)
	f.host(f.tab, f.mode, f.embedded(f.link), "")
	if f.mode == "popup" {
		f.page = f.browser.Opened(f.t, f.tab, func() { f.tab.Click("#open") }).Top()
		return
	}
	f.tab.Click("#open")
	f.page = f.tab.Frame(f.URL)
}

func (f *flow) throttle() {
	if f.slow { // as of Lighthouse: 150 ms, 1.6 Mbit/s down, 750 kbit/s up
		shottest.Call(f.tab, "slow the network down", network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Latency: 150, DownloadThroughput: 200_000, UploadThroughput: 94_000}},
		})
	}
}

// act does one move.
func (f *flow) act(m move) {
	f.t.Helper()
	m.fields = slices.Clone(m.fields)
	for i := 1; i < len(m.fields); i += 2 {
		if m.fields[i-1] == "username" {
			m.fields[i] = fmt.Sprintf("jo%s@%s.sandbox.com", f.link.SessionID, m.fields[i])
		}
	}
	switch m.press {
	case later:
		see(f.page, m.page)
		f.Clock.Move(31 * time.Second)
		f.page.Until("it is loaded again", `(document.querySelector("main").dataset.done = "yes", location.reload(), true)`)
	case approved:
		see(f.page, m.page)
		f.Clock.Move(2 * time.Second)
		if f.plain {
			do(f.page, move{page: m.page, press: "poll"})
		}
	default:
		do(f.page, m)
	}
}

// ended waits for what the app is told.
func (f *flow) ended() {
	f.t.Helper()
	if f.mode == "redirect" {
		latchtest.Eventually(f.t, "the browser comes back", func() bool { return len(f.arrivals(f.link.SessionID)) > 0 })
		f.redirected()
		return
	}
	f.t.Helper()
	latchtest.Eventually(f.t, "the end is told", func() bool {
		return shottest.Eval[bool](f.tab, `records.some((r) => r.data.event === "success" || r.data.event === "exit")`)
	})
	if f.mode == "popup" {
		latchtest.Eventually(f.t, "the popup is closed", func() bool { return shottest.Eval[bool](f.tab, `shown.closed`) })
	}
	f.told()
	if len(f.arrivals(f.link.SessionID)) != 0 {
		f.t.Error("an embedded page went to the app as well")
	}
}

// redirected checks the parameters of the redirect.
func (f *flow) redirected() {
	f.t.Helper()
	came := f.arrivals(f.link.SessionID)
	want := map[string]string{"status": f.outcome.status, "client_reference_id": f.reference, "session_id": f.link.SessionID}
	if f.outcome.step != "" {
		want["step"] = f.outcome.step
	}
	if f.outcome.code != "" {
		want["error_code"] = f.outcome.code
	}
	if list := f.connected(f.reference); f.outcome == success && len(list) == 1 {
		want["connection_id"] = list[0].ID
	}
	got := map[string]string{}
	for name := range came[0].query {
		got[name] = came[0].query.Get(name)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(came) != 1 || came[0].referer != "" {
		f.t.Errorf("came back %d times, from %q, with (-want +got):\n%s", len(came), came[0].referer, diff)
	}
}

// told checks the messages to the app.
func (f *flow) told() {
	f.t.Helper()
	records := shottest.Eval[[]record](f.tab, `records`)
	ends := 0
	for i, r := range records {
		if r.Origin != f.URL || !r.Mine || r.Data.Type != "OFAUTH_LINK" {
			f.t.Errorf("message %d is none of the link: %+v", i, r)
		}
		switch r.Data.Event {
		case "success", "exit":
			ends++
			f.toldEnd(r)
		}
	}
	if ends != 1 || records[0].Data.Event != "loaded" || !slices.ContainsFunc(records, func(r record) bool { return r.Data.Event == "sandbox_info" }) {
		f.t.Errorf("want loaded, sandbox_info and one end: %+v", records)
	}
}

func (f *flow) toldEnd(r record) {
	f.t.Helper()
	metadata := r.Data.Metadata
	if f.outcome == success {
		connection, _ := metadata["connection"].(map[string]any)
		list := f.connected(f.reference)
		if r.Data.Event != "success" || len(list) != 1 || connection["id"] != list[0].ID || metadata["redirect"] != false {
			f.t.Errorf("told %+v of connections %+v", r.Data, list)
		}
		return
	}
	want := map[string]any{"type": "user_exit", "step": map[string]string{"authorization": "pre-login"}[f.outcome.step], "error": nil}
	if want["step"] == "" {
		want["step"] = f.outcome.step
	}
	failure, _ := metadata["error"].(map[string]any)
	if f.outcome.code != "" {
		want = map[string]any{"type": "error", "step": "error", "error": map[string]any{"error_type": f.outcome.code, "error_message": failure["error_message"]}}
		if failure["error_message"] == "" {
			f.t.Error("the error says nothing")
		}
	}
	if diff := cmp.Diff(want, metadata); diff != "" || r.Data.Event != "exit" {
		f.t.Errorf("told %s with (-want +got):\n%s", r.Data.Event, diff)
	}
}

// kept checks the session, the connection and the webhooks.
func (f *flow) kept() {
	f.t.Helper()
	ends := map[string]struct {
		status string
		hooks  map[string]int
	}{
		"success":   {"completed", map[string]int{"connection.created": 1, "link.session.completed": 1}},
		"cancelled": {"denied", map[string]int{"link.session.cancelled": 1}},
		"error":     {"failed", map[string]int{"link.session.failed": 1}},
	}
	want := ends[f.outcome.status]
	if got := f.stage.status(f.link); got != want.status {
		f.t.Errorf("the session is %s, want %s", got, want.status)
	}
	list := f.connected(f.reference)
	if linked := f.outcome == success; linked != (len(list) == 1) || linked && list[0].Status != "active" {
		f.t.Errorf("connections: %+v", list)
	}
	var got map[string]int
	latchtest.Eventually(f.t, "the webhooks arrive", func() bool {
		got = f.hooks(f.reference)
		return len(got) >= len(want.hooks)
	})
	if diff := cmp.Diff(want.hooks, got); diff != "" {
		f.t.Errorf("webhooks (-want +got):\n%s", diff)
	}
}
