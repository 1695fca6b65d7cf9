package main

import (
	"maps"
	"net/http"
	"sync"
)

// The types of client apps.
const (
	redirectApp   = "redirect"
	embedApp      = "embed"
	whitelabelApp = "whitelabel"
)

// The redirect URIs of the run's own client apps, the first being the default.
const (
	returnURL      = "http://127.0.0.1/conformance"
	returnURLQuery = "http://127.0.0.1/conformance?kept=a%20b&empty=&kept=2"
	returnURLSix   = "http://[::1]/conformance"
	returnURLName  = "http://localhost:3000/conformance"
)

// embedOrigin is the allowed origin of the run's own embedded client app.
const embedOrigin = "http://localhost:3999"

// clientApp is an app that sessions are asked for.
type clientApp struct {
	id   string // empty: it is found by its mode, being the server's own
	mode string
}

// own reports whether the run made the app, so that it knows all about it.
func (a clientApp) own() bool { return a.id != "" }

// fields returns what init must say to get the app.
func (a clientApp) fields() map[string]any {
	if a.own() {
		return map[string]any{"clientAppId": a.id}
	}
	return map[string]any{"mode": a.mode}
}

// appShelf holds the client apps that the rows share, made at the first need.
type appShelf struct {
	mu   sync.Mutex
	kept map[string]clientApp
}

// app returns the shared client app of a type. Where the server does not let
// the run make one, it is whatever app the server itself finds.
func (s *suite) app(kind string) clientApp {
	s.apps.mu.Lock()
	defer s.apps.mu.Unlock()
	if s.apps.kept == nil {
		s.apps.kept = map[string]clientApp{}
	}
	found, ok := s.apps.kept[kind]
	if ok {
		return found
	}
	found.mode = kind
	if !s.core {
		made := s.call(http.MethodPost, "/v2/client-apps", s.appFields(kind, nil))
		if made.status == http.StatusCreated {
			found.id = made.json().at("id").text()
		}
	}
	s.apps.kept[kind] = found
	return found
}

// ownApp is app for rows that must know its redirect URIs or origins.
func (s *suite) ownApp(kind string) clientApp {
	found := s.app(kind)
	if !found.own() {
		s.leaveOut("the suite can't make a client app here")
	}
	return found
}

// close removes the shared apps.
func (a *appShelf) close(s *suite) {
	for _, kept := range a.kept {
		if kept.own() {
			s.call(http.MethodDelete, "/v2/client-apps/"+kept.id, nil)
		}
	}
}

// appFields returns the body that makes a client app of a type, with some
// fields given otherwise; nil leaves one out.
func (s *suite) appFields(kind string, otherwise map[string]any) map[string]any {
	fields := map[string]any{
		"name": "Conformance " + s.run, "domain": "conformance.example", "type": kind,
		"redirectUris": []string{returnURL, returnURLQuery, returnURLSix, returnURLName},
		"providers":    []string{"sandbox"},
		"permissions": []map[string]string{
			{"name": "profile:read", "purpose": "to show your name"},
			{"name": "posts:read", "purpose": "to list your posts"},
			{"name": "messages:write", "purpose": "to send what you write"},
		},
	}
	switch kind {
	case embedApp:
		fields["allowedOrigins"] = []string{embedOrigin}
	case whitelabelApp:
		fields["whitelabelEnabled"] = true
	}
	return with(fields, otherwise)
}

// permissionNames are the permissions of the run's own apps, in order.
var permissionNames = []string{"profile:read", "posts:read", "messages:write"}

// newApp makes a client app of the row's own.
func (s *suite) newApp(kind string, otherwise map[string]any) clientApp {
	made := s.call(http.MethodPost, "/v2/client-apps", s.appFields(kind, otherwise)).want(http.StatusCreated).json()
	app := clientApp{id: made.at("id").text(), mode: kind}
	s.later(func() { s.call(http.MethodDelete, "/v2/client-apps/"+app.id, nil) })
	return app
}

// with returns the fields with others in their place; nil removes one.
func with(fields, otherwise map[string]any) map[string]any {
	merged := maps.Clone(fields)
	if merged == nil {
		merged = map[string]any{}
	}
	for name, other := range otherwise {
		if other == nil {
			delete(merged, name)
			continue
		}
		merged[name] = other
	}
	return merged
}
