package matrixtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// loginLife is how long a login token is good.
const loginLife = 30 * time.Second

// loginToken is what the SSO page hands out, for one use.
type loginToken struct {
	user string
	end  time.Time
}

// issueLogin makes a login token.
func (s *Server) issueLogin(user string) string {
	text := random("login_")
	s.login[text] = loginToken{user: user, end: s.options.Now().Add(loginLife)}
	return text
}

// loginRequest is the body of POST /login.
type loginRequest struct {
	Type       string `json:"type"`
	Identifier struct {
		Type string `json:"type"`
		User string `json:"user"`
	} `json:"identifier"`
	Password string `json:"password"`
	Token    string `json:"token"`
	Device   string `json:"device_id"`
	Name     string `json:"initial_device_display_name"`
	Refresh  bool   `json:"refresh_token"`
}

// takeLogin logs in.
func (s *Server) takeLogin(w http.ResponseWriter, r *http.Request) {
	var in loginRequest
	if !read(w, r, &in) {
		return
	}
	id, ok := s.identify(w, in)
	if !ok {
		return
	}
	if s.users[id].Deactivated {
		refuse(w, http.StatusForbidden, "M_USER_DEACTIVATED", "This account has been deactivated")
		return
	}
	if in.Device == "" {
		in.Device = strings.ToUpper(random(""))[:10]
	}
	s.forget(func(held *token) bool { return held.user == id && held.device == in.Device })
	answer := s.issue(id, in.Device, in.Name, in.Refresh)
	answer["user_id"], answer["device_id"], answer["home_server"] = cmp.Or(s.claims, id), in.Device, s.Name
	write(w, http.StatusOK, answer)
}

// identify returns the user who a request proves to be, or refuses it.
func (s *Server) identify(w http.ResponseWriter, in loginRequest) (string, bool) {
	offered := slices.Contains(s.options.Flows, in.Type) || in.Type == "m.login.token" && slices.Contains(s.options.Flows, "m.login.sso")
	switch {
	case in.Type == "m.login.token" && offered:
		held, known := s.login[in.Token]
		delete(s.login, in.Token)
		if !known || !s.options.Now().Before(held.end) {
			refuse(w, http.StatusForbidden, "M_FORBIDDEN", "Invalid login token")
			return "", false
		}
		return held.user, true
	case in.Type != "m.login.password" || !offered || in.Identifier.Type != "m.id.user":
		refuse(w, http.StatusBadRequest, "M_UNKNOWN", "Unknown login type")
		return "", false
	}
	id := strings.ToLower(in.Identifier.User)
	if !strings.HasPrefix(id, "@") {
		id = "@" + id + ":" + s.Name
	}
	if s.limited(id) {
		write(w, http.StatusTooManyRequests, map[string]any{
			"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 60000,
		})
		return "", false
	}
	if user := s.users[id]; user == nil || user.Password != in.Password {
		s.failures[id] = append(s.failures[id], s.options.Now())
		refuse(w, http.StatusForbidden, "M_FORBIDDEN", "Invalid username or password")
		return "", false
	}
	return id, true
}

// limited reports whether there were five failures of an account in a minute.
func (s *Server) limited(id string) bool {
	now := s.options.Now()
	s.failures[id] = slices.DeleteFunc(s.failures[id], func(at time.Time) bool { return now.Sub(at) > time.Minute })
	return len(s.failures[id]) >= 5
}

// redirectSSO sends the browser to the homeserver's own page.
func (s *Server) redirectSSO(w http.ResponseWriter, r *http.Request) {
	back := r.URL.Query().Get("redirectUrl")
	if back == "" || !slices.Contains(s.options.Flows, "m.login.sso") {
		refuse(w, http.StatusBadRequest, "M_MISSING_PARAM", "Missing string query parameter redirectUrl")
		return
	}
	http.Redirect(w, r, "/sso?"+url.Values{"back": {back}}.Encode(), http.StatusFound)
}

// showSSO draws the page.
func (s *Server) showSSO(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, `<!doctype html><title>Homeserver</title><form method="post" action="/sso"><input type="hidden" name="back" value="%s">`+
		`<input name="user"><input name="password" type="password"><button>Sign in</button></form>`, html.EscapeString(r.URL.Query().Get("back")))
}

// takeSSO logs in on the page and sends the browser back with a login token.
func (s *Server) takeSSO(w http.ResponseWriter, r *http.Request) {
	id := "@" + r.FormValue("user") + ":" + s.Name
	user := s.users[id]
	back, err := url.Parse(r.FormValue("back"))
	if err != nil || user == nil || user.Password != r.FormValue("password") {
		http.Error(w, "wrong", http.StatusForbidden)
		return
	}
	query := back.Query()
	query.Set("loginToken", s.issueLogin(id))
	back.RawQuery = query.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// SignIn does what a person does who was redirected: it opens the page, logs
// in there, and returns where the browser is sent back to.
func (s *Server) SignIn(ctx context.Context, redirect, localpart, password string) (*url.URL, error) {
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, redirect, nil)
	if err != nil {
		return nil, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	_ = answer.Body.Close()
	page, err := answer.Location()
	if err != nil {
		return nil, errors.New("the homeserver did not redirect to its page")
	}
	form := url.Values{"back": {page.Query().Get("back")}, "user": {localpart}, "password": {password}}
	request, err = http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/sso", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if answer, err = client.Do(request); err != nil {
		return nil, err
	}
	_ = answer.Body.Close()
	return answer.Location()
}
