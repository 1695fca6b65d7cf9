package hosted

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// show draws the stored state of a session and changes nothing.
func (d *door) show(w http.ResponseWriter, r *http.Request) error {
	session, err := d.find(r)
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return d.drawSilent(w, r, http.StatusNotFound)
	}
	if err != nil {
		return err
	}
	if cameThrough(r, session) {
		return d.depart(w, r, session)
	}
	return d.draw(w, r, session)
}

// find returns the session of the page. One that its app drives itself has no
// page.
func (d *door) find(r *http.Request) (*latchkey.LinkSession, error) {
	session, err := d.config.Links.Find(r.Context(), r.PathValue("clientSecret"))
	if err == nil && session.Request.Mode != latchkey.ModeHosted {
		return nil, latchkey.Errorf(latchkey.NotFound, "the session has no page")
	}
	return session, err
}

// triedParameter is in the query with which the page of a try loads itself
// again: the version of the session while it was being tried.
const triedParameter = "tried"

// cameThrough reports whether the person has been waiting on the page of the
// very try that ended the session well, as after a double click, when the
// browser has thrown the first answer away. They go to the app as if it had
// not; to anybody else a finished link tells nothing.
func cameThrough(r *http.Request, session *latchkey.LinkSession) bool {
	return session.State == latchkey.StateCompleted && link.ReturnURL(session) != "" &&
		asked(r, triedParameter) == strconv.FormatInt(session.Version-1, 10)
}

// step takes one form. It is answered by 303 to the same page, which draws
// what then is, or at the end to the app.
func (d *door) step(w http.ResponseWriter, r *http.Request) error {
	fields, err := web.DecodeForm(w, r)
	if err != nil {
		return err
	}
	defer latchkey.ZeroAll(fields)
	submission, err := submissionOf(fields)
	if err != nil {
		return err
	}
	session, err := d.find(r)
	if err == nil {
		submission.Seen = witness(r, session)
		session, err = d.config.Links.StepFrom(r.Context(), r.PathValue("clientSecret"), session, submission)
	}
	if session == nil {
		if latchkey.CodeOf(err) == latchkey.NotFound {
			return d.drawSilent(w, r, http.StatusNotFound)
		}
		return err
	}
	web.Annotate(r.Context(), slog.String("session", session.ID))
	if invalid, ok := errors.AsType[*latchkey.Error](err); ok && invalid.Code == latchkey.Invalid {
		web.Annotate(r.Context(), slog.String("refused", invalid.Message))
	} else if err != nil && latchkey.CodeOf(err) != latchkey.Conflict {
		return err
	}
	if leaves(session, submission) {
		return d.depart(w, r, session)
	}
	query := ownQuery(r)
	if err == nil && submission.Action == latchkey.ActionPoll && session.State == latchkey.StateWait {
		query.Set(lookedParameter, "true")
	}
	redirect(w, pagePath(r, query))
	return nil
}

// witness is where a form came from.
func witness(r *http.Request, session *latchkey.LinkSession) link.Witness {
	seen := link.Witness{
		Address: web.Address(r), UserAgent: r.UserAgent(), Locale: speak(r, session.Request.Locale).tag,
	}
	if query := pageQuery(r); query.Get("embed") == "true" {
		seen.EmbedOrigin = query.Get("embed_origin")
	}
	return seen
}

// lookedParameter is in the query of a page that the provider was just asked
// for, and still waits.
const lookedParameter = "looked"

// leaves reports whether the person goes back to the app now: at once after
// success and cancellation, and after any other end when they have read why.
// The page that says why has no fields and, but for the expiry, which nobody
// may have written down yet, the version of the end.
func leaves(session *latchkey.LinkSession, submission link.Submission) bool {
	if link.ReturnURL(session) == "" {
		return false
	}
	if session.State == latchkey.StateCompleted || session.State == latchkey.StateConfirm || link.Cancelled(session) {
		return true
	}
	saw := submission.Version == session.Version || session.State == latchkey.StateExpired
	return submission.Action == latchkey.ActionContinue && len(submission.Fields) == 0 && saw
}

// redirect answers 303, so that a form's body is never sent on.
func redirect(w http.ResponseWriter, target string) {
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}

// submissionOf reads a form: what is not version, action, method or provider
// is a field of the step.
func submissionOf(fields map[string]latchkey.Secret) (link.Submission, error) {
	take := func(name string) string {
		value := string(fields[name].Reveal())
		delete(fields, name)
		return value
	}
	version, err := strconv.ParseInt(take("version"), 10, 64)
	if err != nil {
		return link.Submission{}, latchkey.InvalidField("version", "is missing: load the page again")
	}
	submission := link.Submission{
		Version: version, Action: latchkey.Action(take("action")), Method: take("method"), Provider: take("provider"),
		Fields: fields,
	}
	if submission.Action == "" {
		submission.Action = latchkey.ActionContinue
	}
	if !slices.Contains(latchkey.Actions(), submission.Action) {
		return link.Submission{}, latchkey.InvalidField("action", "is not an action")
	}
	return submission, nil
}

// ownQuery is pageQuery for who adds to it.
func ownQuery(r *http.Request) url.Values {
	if kept := pageQuery(r); kept != nil {
		return kept
	}
	return url.Values{}
}

// pageQuery returns what of the page's own query goes with it from step to
// step; it may be nil.
func pageQuery(r *http.Request) url.Values {
	if r.URL.RawQuery == "" {
		return nil
	}
	kept, query := url.Values{}, r.URL.Query()
	if theme := query.Get("theme"); slices.Contains([]string{ThemeAuto, ThemeLight, ThemeDark}, theme) {
		kept.Set("theme", theme)
	}
	if lang := query.Get(languageParameter); tongues[lang] != nil {
		kept.Set(languageParameter, lang)
	}
	if query.Get("embed") == "true" {
		kept.Set("embed", "true")
		if origin := query.Get("embed_origin"); origin != "" && len(origin) <= 255 {
			kept.Set("embed_origin", origin)
		}
	}
	return kept
}

// asked returns a parameter of the page's own query.
func asked(r *http.Request, parameter string) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return r.URL.Query().Get(parameter)
}

// pagePath returns the page's own path with the query.
func pagePath(r *http.Request, query url.Values) string {
	if len(query) == 0 {
		return r.URL.EscapedPath()
	}
	return r.URL.EscapedPath() + "?" + query.Encode()
}

// formTarget returns the source expression of where a redirect leads, for the
// form-action of the page: an origin, or the scheme of a native app. The
// grammar of sources knows no IPv6 address (CSP3, section 2.3.1), and browsers
// pass by what they can't read, so that there too it is the scheme.
func formTarget(target string) string {
	parsed, err := url.Parse(target)
	if err != nil || parsed.Scheme == "" {
		return ""
	}
	if parsed.Host == "" || !strings.HasPrefix(parsed.Scheme, "http") || strings.Contains(parsed.Host, "[") {
		return parsed.Scheme + ":"
	}
	return parsed.Scheme + "://" + parsed.Host
}
