package embedtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

// TestEveryWayEndsWhereItShould is the matrix of the embedding modes and the
// sandbox's scenarios where third-party cookies are blocked: Latchkey's pages
// need none. What is a page of its own is no third party, so that of redirects
// a few ways do; the others are walked without the SDK.
func TestEveryWayEndsWhereItShould(t *testing.T) {
	h := newHouse(t, "test-third-party-cookie-phaseout")
	for i, s := range scenarios {
		for _, mode := range []string{"iframe", "popup", "redirect"} {
			if mode == "redirect" && i%4 != 0 {
				continue
			}
			t.Run(mode+" "+s.name, func(t *testing.T) { h.in(t).ends(mode, s) })
		}
	}
}

// in lets the house report to a test of its own, while that runs.
func (h *house) in(t testing.TB) *house {
	whole := h.Server.TB
	h.Server.TB = t
	t.Cleanup(func() { h.Server.TB = whole })
	return h
}

// ends walks the scenario and looks where it has led.
func (h *house) ends(mode string, s scenario) {
	before := len(h.Connections())
	tab := h.visit("")
	defer tab.Close()
	frame := tab.Frame(h.URL)
	var window *shottest.Tab
	switch mode {
	case "popup":
		window = h.window(tab, "#popup")
		frame = window.Top()
	case "redirect":
		tab.Click("#redirect")
		frame = tab.Top()
	default:
		tab.Click("#iframe")
	}
	s.walk(frame)
	switch {
	case mode == "redirect":
		h.redirected(tab, s)
	case s.close != "":
		told := h.heard(tab, "close")
		if got := fmt.Sprint(told["type"], " ", told["step"]); got != s.close {
			h.Errorf("it is closed by %q, want %q", got, s.close)
		}
		if failed, _ := told["error"].(map[string]any); s.error != "" && failed["error_type"] != s.error {
			h.Errorf("it failed by %v, want %s", told["error"], s.error)
		}
	default:
		h.succeeded(tab)
	}
	if mode != "redirect" {
		h.tidy(tab, s)
	}
	want := before
	if s.close == "" && before == 0 {
		want = -1 // the same account again is the same connection
	}
	if after := len(h.Connections()); want >= 0 && after < want || s.close != "" && after != before {
		h.Errorf("there are %d connections, there were %d", after, before)
	}
}

// redirected looks at what the redirect carried.
func (h *house) redirected(tab *shottest.Tab, s scenario) {
	query := landed(tab)
	want := map[string]string{"status": "success", "error_code": "", "step": "", "client_reference_id": "user_1"}
	switch {
	case s.error != "":
		want["status"], want["error_code"] = "error", s.error
	case s.close != "":
		want["status"], want["step"] = "cancelled", strings.Fields(s.close)[1]
		if s.name == "denied" {
			want["step"] = "authorization"
		}
	}
	for name, value := range want {
		if got := query.Get(name); got != value {
			h.Errorf("%s=%q, want %q", name, got, value)
		}
	}
	if id := query.Get("connection_id"); (id == "") != (s.close != "") {
		h.Errorf("the connection is %q", id)
	} else if id != "" {
		h.Want(http.StatusOK, "GET", "/v2/account/connections/"+id, nil)
	}
}

// succeeded looks at what the app's page was told.
func (h *house) succeeded(tab *shottest.Tab) {
	told := h.heard(tab, "success")
	connection, _ := told["connection"].(map[string]any)
	id, _ := connection["id"].(string)
	answer := latchtest.Decode[latchtest.Connection](h.Server, h.Want(http.StatusOK, "GET", "/v2/account/connections/"+id, nil))
	user, _ := connection["userData"].(map[string]any)
	if user["id"] != answer.UserData.ID || user["username"] != answer.UserData.Username {
		h.Errorf("the page is told of %v, the connection is of %+v", user, answer.UserData)
	}
	if back := fmt.Sprint(told["successUrl"]); !strings.HasPrefix(back, h.host+"/back?") || !strings.Contains(back, "connection_id="+id) {
		h.Errorf("it leads to %s", back)
	}
}

// tidy sees that every callback came once and that nothing is left of the link.
func (h *house) tidy(tab *shottest.Tab, s scenario) {
	counts := map[string]int{}
	for _, entry := range log(tab) {
		name, value, _ := strings.Cut(entry, " ")
		counts[name]++
		if name == "violation" || name == "error" || name == "invalid" {
			h.Errorf("the page has %s: %s", name, value)
		}
	}
	ends := map[bool]string{true: "close", false: "success"}
	if counts[ends[s.close != ""]] != 1 || counts[ends[s.close == ""]] != 0 || counts["load"] != 1 {
		h.Errorf("callbacks %v: %q", counts, log(tab))
	}
	const left = `[document.querySelectorAll("body > div").length, document.documentElement.style.overflow, document.activeElement.id].join()`
	latchtest.Eventually(h.TB, "the dialog is gone: "+shottest.Eval[string](tab, left), func() bool {
		got := shottest.Eval[string](tab, left)
		return got == "0,,iframe" || got == "0,,popup"
	})
}
