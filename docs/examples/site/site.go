package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// account is somebody who can log in.
type account struct {
	ID       int    `json:"id"`
	Username string `json:"username"`
	Name     string `json:"name"`
	password string
	hasPhone bool
	wrong    int // passwords in a row
}

// visit is what the site knows of a browser.
type visit struct {
	csrf    string
	account *account // who has given the right password
	code    string   // that was sent by text message, until it is given
	ends    time.Time
}

// loggedIn reports whether the browser's person is known.
func (v *visit) loggedIn() bool { return v.account != nil && v.code == "" }

const (
	cookieName = "session"
	lifetime   = time.Hour // of a session, from its last page
	patience   = 5         // wrong passwords until an account is locked
)

// site keeps everything in memory.
type site struct {
	phone    io.Writer
	mu       sync.Mutex
	visits   map[string]*visit
	accounts map[string]*account
}

func newSite(phone io.Writer) *site {
	return &site{phone: phone, visits: map[string]*visit{}, accounts: map[string]*account{
		"lovelace": {ID: 1815, Username: "lovelace", Name: "Ada Lovelace", password: "correct horse", hasPhone: true},
		"babbage":  {ID: 1791, Username: "babbage", Name: "Charles Babbage", password: "battery staple"},
	}}
}

// routes are the site's pages and its API.
func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, handler := range map[string]func(http.ResponseWriter, *http.Request, *visit){
		"GET /login": s.showLogin, "POST /login": s.login, "GET /code": s.showCode, "POST /code": s.code,
		"POST /code/again": s.again, "GET /me": s.me, "GET /api/notes": s.notes, "POST /logout": s.logout,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			v := s.visitOf(w, r)
			if r.Method == http.MethodPost && subtle.ConstantTimeCompare([]byte(r.PostFormValue("csrf")), []byte(v.csrf)) == 0 {
				http.Error(w, "this form is of another visit", http.StatusBadRequest)
				return
			}
			handler(w, r, v)
		})
	}
	mux.Handle("GET /{$}", http.RedirectHandler("/me", http.StatusSeeOther))
	return mux
}

// visitOf finds the visit of the request's cookie, or begins one, and lets it
// live on.
func (s *site) visitOf(w http.ResponseWriter, r *http.Request) *visit {
	id := rand.Text()
	v := &visit{csrf: rand.Text()}
	if cookie, err := r.Cookie(cookieName); err == nil && s.visits[cookie.Value] != nil && time.Now().Before(s.visits[cookie.Value].ends) {
		id, v = cookie.Value, s.visits[cookie.Value]
	}
	v.ends = time.Now().Add(lifetime)
	s.visits[id] = v
	setCookie(w, id, int(lifetime/time.Second))
	return v
}

func setCookie(w http.ResponseWriter, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (s *site) showLogin(w http.ResponseWriter, _ *http.Request, v *visit) { loginPage(w, v, "") }

func (s *site) login(w http.ResponseWriter, r *http.Request, v *visit) {
	a := s.accounts[r.PostFormValue("username")]
	switch {
	case a != nil && a.wrong >= patience:
		loginPage(w, v, "This account is locked.")
	case a == nil || a.password != r.PostFormValue("password"):
		if a != nil {
			a.wrong++
		}
		loginPage(w, v, "Wrong username or password.")
	case a.hasPhone:
		a.wrong, v.account = 0, a
		s.send(v)
		http.Redirect(w, r, "/code", http.StatusSeeOther)
	default:
		a.wrong, v.account = 0, a
		http.Redirect(w, r, "/me", http.StatusSeeOther)
	}
}

// send sends a new code to the account's phone.
func (s *site) send(v *visit) {
	digits := make([]byte, 6)
	_, _ = rand.Read(digits) // never fails
	for i, b := range digits {
		digits[i] = '0' + b%10
	}
	v.code = string(digits)
	fmt.Fprintf(s.phone, "text message to %s: your code is %s\n", v.account.Username, v.code)
}

func (s *site) showCode(w http.ResponseWriter, r *http.Request, v *visit) {
	if v.code == "" {
		http.Redirect(w, r, "/me", http.StatusSeeOther)
		return
	}
	codePage(w, v, "")
}

func (s *site) code(w http.ResponseWriter, r *http.Request, v *visit) {
	if v.code == "" || r.PostFormValue("code") != v.code {
		codePage(w, v, "That is not the code.")
		return
	}
	v.code = ""
	http.Redirect(w, r, "/me", http.StatusSeeOther)
}

func (s *site) again(w http.ResponseWriter, r *http.Request, v *visit) {
	if v.account != nil {
		s.send(v)
	}
	http.Redirect(w, r, "/code", http.StatusSeeOther)
}

func (s *site) me(w http.ResponseWriter, r *http.Request, v *visit) {
	if !v.loggedIn() {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	profilePage(w, v)
}

func (s *site) notes(w http.ResponseWriter, _ *http.Request, v *visit) {
	w.Header().Set("Content-Type", "application/json")
	if !v.loggedIn() {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"log in first"}`)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"of": v.account, "notes": []string{"The engine can arrange and combine."}})
}

func (s *site) logout(w http.ResponseWriter, r *http.Request, v *visit) {
	v.account, v.ends = nil, time.Time{}
	setCookie(w, "", -1)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
