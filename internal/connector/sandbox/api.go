package sandbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// The bounds of what the fixtures take.
const (
	maxBody      = 64 << 10
	defaultLimit = 10
	maxLimit     = 100
	maxOffset    = 1 << 20
)

// ownerKey carries the payload of the credential through a request's context.
type ownerKey struct{}

// Handler returns the provider's API: fixtures derived from the credential.
// Every answer is JSON. Without a credential that is whole and not past its
// end, the answer is 401.
func (c *Connector) Handler() http.Handler { return c.handler }

// routes builds the API.
//
//	GET  /me                      the person
//	GET  /posts?limit=&offset=    {"list":[…],"hasMore":bool}
//	POST /messages {"text":"…"}   201 {"id","text"}
//	GET  /slow                    {"ok":true} after five seconds
//	GET  /status/{code}           an answer with that status, 200 to 599
func (c *Connector) routes() http.Handler {
	mux := http.NewServeMux()
	for _, route := range []struct {
		method, path string
		serve        func(http.ResponseWriter, *http.Request, payload)
	}{
		{http.MethodGet, "/me", serveMe},
		{http.MethodGet, "/posts", servePosts},
		{http.MethodPost, "/messages", serveMessage},
		{http.MethodGet, "/slow", serveSlow},
		{http.MethodGet, "/status/{code}", serveStatus},
	} {
		mux.HandleFunc(route.method+" "+route.path, func(w http.ResponseWriter, r *http.Request) {
			owner, _ := r.Context().Value(ownerKey{}).(payload)
			route.serve(w, r, owner)
		})
		mux.HandleFunc(route.path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", route.method)
			refuse(w, http.StatusMethodNotAllowed, "this path wants "+route.method)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "no such path")
	})
	return c.authenticate(mux)
}

// authenticate lets a request through that carries a live credential.
func (c *Connector) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		owner, err := live(token, c.now())
		if err != nil || !strings.EqualFold(name, scheme) {
			w.Header().Set("WWW-Authenticate", scheme)
			refuse(w, http.StatusUnauthorized, "the credential is missing, malformed or no longer good")
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ownerKey{}, owner)))
	})
}

// serveMe answers with the person.
func serveMe(w http.ResponseWriter, _ *http.Request, owner payload) {
	answer(w, http.StatusOK, personOf(owner.Seed, owner.Type))
}

// servePosts answers with a page of posts.
func servePosts(w http.ResponseWriter, r *http.Request, owner payload) {
	limit, limitOK := queryNumber(r, "limit", defaultLimit, 1, maxLimit)
	offset, offsetOK := queryNumber(r, "offset", 0, 0, maxOffset)
	if !limitOK || !offsetOK {
		refuse(w, http.StatusBadRequest, "limit is 1 to 100, offset 0 or more")
		return
	}
	list, more := postsOf(owner.Seed, limit, offset)
	answer(w, http.StatusOK, struct {
		List    []post `json:"list"`
		HasMore bool   `json:"hasMore"`
	}{list, more})
}

// serveMessage takes a message and answers with it.
func serveMessage(w http.ResponseWriter, r *http.Request, owner payload) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		refuse(w, http.StatusRequestEntityTooLarge, "a message has at most 64 KiB")
		return
	}
	var message struct {
		Text string `json:"text"`
	}
	if err != nil || json.Unmarshal(body, &message) != nil || message.Text == "" {
		refuse(w, http.StatusBadRequest, `a message is JSON: {"text":"…"}`)
		return
	}
	answer(w, http.StatusCreated, struct {
		ID   string `json:"id"`
		Text string `json:"text"`
	}{messageID(owner.Seed, message.Text), message.Text})
}

// serveSlow answers late, and not at all once the caller has gone.
func serveSlow(w http.ResponseWriter, r *http.Request, _ payload) {
	if pause(r.Context(), slowAnswer) != nil {
		return
	}
	answer(w, http.StatusOK, struct {
		OK bool `json:"ok"`
	}{true})
}

// serveStatus answers with the status of the path.
func serveStatus(w http.ResponseWriter, r *http.Request, _ payload) {
	status, ok := number(r.PathValue("code"), 200, 599)
	if !ok {
		refuse(w, http.StatusBadRequest, "a status is 200 to 599")
		return
	}
	answer(w, status, struct {
		Status int `json:"status"`
	}{status})
}

// queryNumber reads a number of the query, or its fallback where it is absent.
func queryNumber(r *http.Request, name string, fallback, least, most int) (int, bool) {
	query := r.URL.Query()
	if !query.Has(name) {
		return fallback, true
	}
	return number(query.Get(name), least, most)
}

// number reads a decimal number within its bounds.
func number(text string, least, most int) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= least && n <= most
}

// refuse answers with an error in the provider's own shape.
func refuse(w http.ResponseWriter, status int, message string) {
	type reason struct {
		Status  int    `json:"status"`
		Message string `json:"message"`
	}
	answer(w, status, struct {
		Error reason `json:"error"`
	}{reason{status, message}})
}

// answer writes JSON, or only the status where HTTP allows no body (RFC 9110
// sections 15.3.5, 15.3.6 and 15.4.5).
func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if status == http.StatusNoContent || status == http.StatusResetContent || status == http.StatusNotModified {
		w.WriteHeader(status)
		return
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(encoded, '\n')) // the caller has gone: nobody is left to tell
}
