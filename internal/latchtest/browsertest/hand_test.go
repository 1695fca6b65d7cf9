package browsertest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"

	"latchkey/internal/latchtest/shottest"
)

// start starts a browser whose windows are not slowed down while another one
// is in front, and in which a test can look into frames.
func start(t testing.TB) *shottest.Browser {
	t.Helper()
	flags := append([]string{"disable-background-timer-throttling", "disable-renderer-backgrounding",
		"disable-backgrounding-occluded-windows"}, shottest.Together...)
	return shottest.Open(t, shottest.Flags(flags...)...)
}

// scriptless turns the JavaScript of pages off in the tab.
func scriptless(tab *shottest.Tab) {
	shottest.Call(tab, "turn JavaScript off", emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

// move is one thing that a person does: on the page of the name, fill fields
// in and press the button. Fields are pairs of name and value.
type move struct {
	page, press string
	fields      []string
}

// at is an expression that is true on a complete page of the name on which
// nothing has been done yet.
func at(page string) string {
	return fmt.Sprintf(`document.readyState === "complete" && document.body.dataset.page === %s
&& !document.body.hasAttribute("aria-busy") && !document.querySelector("main").dataset.done`, strconv.Quote(page))
}

// pressing is an expression that does the move at once, when its page is there.
func pressing(m move) string {
	var fill strings.Builder
	for i := 0; i+1 < len(m.fields); i += 2 {
		fmt.Fprintf(&fill, "document.querySelector('form input[name=%s]').value = %s;\n", m.fields[i], strconv.Quote(m.fields[i+1]))
	}
	return fmt.Sprintf(`(() => {
if (!(%s)) return false;
const button = document.querySelector('button[name=action][value=%s]');
if (!button || button.disabled) return false;
%sdocument.querySelector("main").dataset.done = "yes";
button.click();
return true;
})()`, at(m.page), m.press, fill.String())
}

// do does moves, one after the other.
func do(f shottest.Frame, moves ...move) {
	for _, m := range moves {
		f.Until(m.press+" is pressed on the page "+m.page, pressing(m))
	}
}

// see waits for a page.
func see(f shottest.Frame, page string) { f.Until("the page "+page+" is there", at(page)) }

// consent is how every link begins.
func consent() []move {
	return []move{{page: "pre-login", press: "continue"}, {page: "authorization", press: "approve"}}
}

// login is the try of an address and a password.
func login(address, password string) move {
	return move{"login", "continue", []string{"username", address, "password", password}}
}
