package hosted

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// scripted is the request header of the page's own script. What sends a plain
// request to the app is answered by a page that tells the script where to go,
// since a script can't see the target of a redirect to another origin.
const scripted = "X-Latchkey-Script"

// embedding is who embeds a page, or opened it as a popup.
type embedding struct {
	Origin  string // that messages may be posted to; "" for none
	Foreign bool   // the page was opened for an origin that is not the app's
}

// embeddedBy returns who embeds the page of the session: the origin that init
// named, or else the one in the page's query, if the app has registered it.
func embeddedBy(r *http.Request, session *latchkey.LinkSession, app latchkey.ClientApp) embedding {
	query := pageQuery(r)
	if query.Get("embed") != "true" {
		return embedding{}
	}
	claimed, own := query.Get("embed_origin"), session.Request.Origin
	switch {
	case own != "" && (claimed == "" || claimed == own):
		return embedding{Origin: own}
	case own != "" || claimed != "" && !slices.Contains(app.AllowedOrigins, claimed):
		return embedding{Foreign: true}
	}
	return embedding{Origin: claimed}
}

// message is what a page tells the page that embeds it: the published shape.
type message struct {
	Type     string `json:"type"`
	Event    string `json:"event"`
	Metadata any    `json:"metadata,omitzero"`
}

const messageType = "OFAUTH_LINK"

type successMetadata struct {
	SuccessURL string            `json:"successUrl"`
	Redirect   bool              `json:"redirect"`   // the host is meant to go to the URL
	Connection *linkedConnection `json:"connection"` // null: the app must confirm the link first
	User       *linkedUser       `json:"user"`       // deprecated, the connection's userData
}

type linkedConnection struct {
	ID       string      `json:"id"`
	UserData *linkedUser `json:"userData"`
}

type linkedUser struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Username string  `json:"username"`
	Avatar   *string `json:"avatar"`
}

type exitMetadata struct {
	Type  string     `json:"type"` // user_exit, error or forced_exit
	Step  string     `json:"step,omitzero"`
	Error *exitError `json:"error"`
}

type exitError struct {
	Type    latchkey.FailureCode `json:"error_type"`
	Message string               `json:"error_message"`
}

// ended is the message for a session that is over, sent when the person leaves
// its page. Why a link failed is told in the language of the page.
func ended(session *latchkey.LinkSession, app latchkey.ClientApp, page Page) (message, error) {
	progress := session.Progress
	switch {
	case session.State == latchkey.StateCompleted || session.State == latchkey.StateConfirm:
		told := successMetadata{SuccessURL: link.ReturnURL(session), Redirect: app.Type == latchkey.AppRedirect}
		if user := progress.UserData; session.State == latchkey.StateCompleted && user != nil {
			told.User = &linkedUser{ID: user.ID, Name: user.Name, Username: user.Username}
			if user.Avatar != "" {
				told.User.Avatar = &user.Avatar
			}
			told.Connection = &linkedConnection{ID: progress.ConnectionID, UserData: told.User}
		}
		return message{messageType, "success", told}, nil
	case link.Cancelled(session):
		return message{messageType, "exit", exitMetadata{Type: "user_exit", Step: exitStep(progress.Step)}}, nil
	}
	code := failureOf(session)
	v, err := newView(page)
	if err != nil {
		return message{}, err
	}
	title, err := v.Tell(failureKey(code))
	return message{messageType, "exit", exitMetadata{Type: "error", Step: "error", Error: &exitError{code, title}}}, err
}

// exitStep is the published name of the step at which somebody left. The
// authorization belongs to what comes before the login.
func exitStep(step latchkey.State) string {
	switch step {
	case latchkey.StateLogin, latchkey.StateRedirect, latchkey.StateTrying:
		return "login"
	case latchkey.StateTwoFactor, latchkey.StateWait:
		return "2fa"
	}
	return "pre-login"
}

// sandboxMetadata says how to log in where nothing is real.
type sandboxMetadata struct {
	Scenarios        any     `json:"scenarios"`
	ActiveScenarioID *string `json:"activeScenarioId"` // null: the page does not know who will log in
	CurrentScreen    string  `json:"currentScreen"`
}

// invalidSession tells that the link opens nothing. It says no more than that.
var invalidSession = message{Type: messageType, Event: "invalid_session"}

// alone is the path of the page outside of any other.
func alone(r *http.Request) string {
	query := pageQuery(r)
	query.Del("embed")
	query.Del("embed_origin")
	return pagePath(r, query)
}

// isOrigin reports whether the text is one exact web origin.
func isOrigin(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && (parsed.Scheme == "https" || parsed.Scheme == "http") && parsed.Hostname() != "" &&
		text == parsed.Scheme+"://"+parsed.Host
}

// encoded returns messages for an attribute of the page.
func encoded(messages ...message) (string, error) {
	text, err := json.Marshal(append([]message{}, messages...)) // none is an empty array
	if err != nil {
		return "", fmt.Errorf("encode messages: %w", err)
	}
	return string(text), nil
}

// depart lets a person leave for the app. A plain request is redirected. The
// script is given the last page, which says where to go, or what to tell whom.
func (d *door) depart(w http.ResponseWriter, r *http.Request, session *latchkey.LinkSession) error {
	if session.State.Final() {
		web.LastWord(w.Header())
	}
	if r.Header.Get(scripted) == "" {
		forgetPage(w, r)
		redirect(w, link.ReturnURL(session))
		return nil
	}
	return d.drawDeparting(w, r, session)
}

// drawDeparting draws the last page, from which the script leaves.
func (d *door) drawDeparting(w http.ResponseWriter, r *http.Request, session *latchkey.LinkSession) error {
	app, err := d.config.Links.App(r.Context(), session)
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return d.drawSilent(w, r, http.StatusGone)
	}
	if err != nil {
		return err
	}
	page := d.frame(r, session, app)
	host := embeddedBy(r, session, app)
	page.Content = Done{Username: linkedName(session), ReturnURL: link.ReturnURL(session)}
	switch {
	case link.Cancelled(session):
		page.Content = Cancelled{ReturnURL: link.ReturnURL(session)}
	case session.State != latchkey.StateCompleted && session.State != latchkey.StateConfirm:
		page.Content = Error{Code: failureOf(session)}
	}
	page.Leave, page.HostOrigin = link.ReturnURL(session), host.Origin
	if host.Origin != "" {
		if err := tellEnd(&page, session, app, host); err != nil {
			return err
		}
	}
	d.allowFraming(w, session, app)
	return writePage(w, http.StatusOK, page)
}

// tellEnd gives the page what to tell its host of how the session ended.
func tellEnd(page *Page, session *latchkey.LinkSession, app latchkey.ClientApp, host embedding) error {
	told, err := ended(session, app, *page)
	if err != nil {
		return fmt.Errorf("tell the end of %s: %w", session.ID, err)
	}
	page.HostOrigin = host.Origin
	page.Messages, err = encoded(told)
	return err
}

// forgetPage makes the browser drop the page that the form was on, with what was
// typed there: chromium keeps pages for its back button, those that must not be
// stored too, until a cookie of their site changes that no script can see. The
// cookie means nothing, and nobody reads it.
func forgetPage(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{
		Name: "left", Value: web.RequestID(r.Context()), Path: "/", MaxAge: 60, HttpOnly: true, Secure: true,
		SameSite: http.SameSiteLaxMode,
	})
}

func failureOf(session *latchkey.LinkSession) latchkey.FailureCode {
	if session.State == latchkey.StateExpired {
		return latchkey.FailureSessionExpired
	}
	return session.Progress.Failure
}

func linkedName(session *latchkey.LinkSession) string {
	if session.State != latchkey.StateCompleted || session.Progress.UserData == nil {
		return ""
	}
	return session.Progress.UserData.Username
}
