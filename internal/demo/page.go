package demo

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"latchkey/internal/web"
	client "latchkey/sdk/go"
)

//go:embed templates/page.html
var pageFile embed.FS

var page = template.Must(template.ParseFS(pageFile, "templates/page.html"))

// view is what the shop's page shows.
type view struct {
	Assets      string
	Returned    *returned // from the hosted page, by redirect
	Connections []client.Connection
	Answer      *answer // of a call through the proxy
	News        []item
	Next        int // where the script goes on listening
	CanRedirect bool
	Scenarios   []scenario
}

// returned is what the redirect carried.
type returned struct{ Status, ConnectionID, Step, ErrorCode string }

// scenario is one way to sign in to the sandbox.
type scenario struct{ Address, Password, Code, Outcome string }

var scenarios = []scenario{
	{"you@creator.sandbox.com", "good-password", "", "Linked at once."},
	{"you@creator-otp.sandbox.com", "good-password", "123456", "A code of an authenticator app is asked for."},
	{"you@phone.sandbox.com", "good-password", "123456", "A code is sent by SMS."},
	{"you@push.sandbox.com", "good-password", "", "Approved on another device after two seconds."},
	{"you@locked.sandbox.com", "good-password", "", "The provider has locked the account."},
	{"you@creator.sandbox.com", "anything else", "", "Refused: five tries."},
}

// show draws the shop.
func (s *shop) show(w http.ResponseWriter, r *http.Request) error {
	if target, err := url.Parse(s.config.URL); err == nil && r.Host != target.Host { // messages go to one origin only
		w.Header().Set("Location", s.config.URL+"/demo")
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	query := r.URL.Query()
	var back *returned
	if query.Has("status") {
		back = &returned{query.Get("status"), query.Get("connection_id"), query.Get("step"), query.Get("error_code")}
	}
	return s.draw(w, r, view{Returned: back})
}

func (s *shop) draw(w http.ResponseWriter, r *http.Request, shown view) error {
	list, err := s.connections(r.Context())
	if err != nil {
		return err
	}
	shown.Assets, shown.Connections = "/static/demo/"+assetHash, list
	shown.News, shown.Next = s.news.after(0)
	shown.CanRedirect, shown.Scenarios = s.returnURL() != "", scenarios
	var drawn bytes.Buffer
	if err := page.Execute(&drawn, shown); err != nil {
		return fmt.Errorf("draw the demo: %w", err)
	}
	web.AllowEmbedding(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(drawn.Bytes())
	return nil
}

// connections are the customer's, newest first.
func (s *shop) connections(ctx context.Context) ([]client.Connection, error) {
	list, err := s.client.Connections.List(ctx, client.ConnectionFilter{ClientReferenceID: customer})
	if err != nil {
		return nil, fmt.Errorf("list the demo's connections: %w", err)
	}
	return list.List, nil
}

// comeBack takes who returns from a hosted page to the shop, with what the
// shop understands of the query.
func (s *shop) comeBack(w http.ResponseWriter, r *http.Request) error {
	kept, query := url.Values{}, r.URL.Query()
	for _, name := range []string{"status", "connection_id", "step", "error_code"} {
		if value := query.Get(name); value != "" && len(value) <= 64 {
			kept.Set(name, value)
		}
	}
	w.Header().Set("Location", strings.TrimSuffix("/demo?"+kept.Encode(), "?"))
	w.WriteHeader(http.StatusSeeOther)
	return nil
}
