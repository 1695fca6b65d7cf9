package browsertest

import (
	"fmt"
	"strconv"
	"strings"

	"latchkey/internal/latchtest/shottest"
)

// move is one thing that a person does: on the page of the name, fill fields
// in and press the button. Pairs of field and value.
type move struct {
	page, press string
	fields      []string
}

// hand does moves on the pages of one link.
type hand struct {
	tab     *shottest.Tab
	version string // of the page that was last acted on
}

// ready is an expression that is true on a complete page of the name that is
// another than the last one acted on.
func (h *hand) ready(page string) string {
	return fmt.Sprintf(`document.readyState === "complete" && document.body.dataset.page === %s && !document.body.hasAttribute("aria-busy")
&& (document.querySelector("input[name=version]") || {}).value !== %s`, strconv.Quote(page), strconv.Quote(h.version))
}

// see waits for the page of the name and keeps its version.
func (h *hand) see(page string) {
	h.tab.Until("the page "+page, h.ready(page))
	h.version = shottest.Eval[string](h.tab, `(document.querySelector("input[name=version]") || {}).value || ""`)
}

// do waits for the page of the move and acts on it at once.
func (h *hand) do(m move) {
	h.see(m.page)
	if m.press == "" {
		return
	}
	var fill strings.Builder
	for i := 0; i+1 < len(m.fields); i += 2 {
		fmt.Fprintf(&fill, "document.querySelector('form input[name=%s]').value = %s;\n", m.fields[i], strconv.Quote(m.fields[i+1]))
	}
	h.tab.Until("press "+m.press+" on "+m.page, fmt.Sprintf(`(() => {
const button = document.querySelector('button[name=action][value=%s]');
if (!button || button.disabled) return false;
%sbutton.click();
return true;
})()`, m.press, fill.String()))
}

// consent is how every link begins.
func consent() []move {
	return []move{{page: "pre-login", press: "continue"}, {page: "authorization", press: "approve"}}
}

// login is the try of an address and a password.
func login(address, password string) move {
	return move{"login", "continue", []string{"username", address, "password", password}}
}
