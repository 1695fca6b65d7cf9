package main

import (
	"fmt"
	"html"
	"net/http"
)

// page writes a page with a title and a body that is HTML already.
func page(w http.ResponseWriter, title, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!DOCTYPE html>\n<html lang=\"en\">\n<title>%s</title>\n<h1>%s</h1>\n%s\n</html>\n", title, title, body)
}

// hidden is the input that ties a form to the visit.
func hidden(v *visit) string {
	return fmt.Sprintf(`<input type="hidden" name="csrf" value="%s">`, html.EscapeString(v.csrf))
}

// refusal says what was wrong.
func refusal(wrong string) string {
	if wrong == "" {
		return ""
	}
	return fmt.Sprintf("<p class=\"error\">%s</p>\n", html.EscapeString(wrong))
}

func loginPage(w http.ResponseWriter, v *visit, wrong string) {
	page(w, "Log in", refusal(wrong)+`<form id="login" method="post" action="/login">
`+hidden(v)+`
<label>Username <input name="username"></label>
<label>Password <input type="password" name="password"></label>
<button name="go" value="login">Log in</button>
</form>`)
}

func codePage(w http.ResponseWriter, v *visit, wrong string) {
	page(w, "Your code", refusal(wrong)+`<p>We have sent a code to your phone.</p>
<form id="code" method="post" action="/code">
`+hidden(v)+`
<label>Code <input name="code"></label>
<button>Continue</button>
</form>
<form id="again" method="post" action="/code/again">
`+hidden(v)+`
<button>Send another code</button>
</form>`)
}

func profilePage(w http.ResponseWriter, v *visit) {
	page(w, "You", fmt.Sprintf(`<dl>
<dt>Number</dt><dd id="number">%d</dd>
<dt>Username</dt><dd id="username">%s</dd>
<dt>Name</dt><dd id="name">%s</dd>
</dl>
<form id="logout" method="post" action="/logout">
%s
<button>Log out</button>
</form>`, v.account.ID, html.EscapeString(v.account.Username), html.EscapeString(v.account.Name), hidden(v)))
}
