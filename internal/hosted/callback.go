package hosted

import (
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// callback takes a person who comes back from the provider's own page with its
// answer. The browser must be the one that was sent there. Like a form it ends
// in 303: to the page, which draws what then is, or to the app.
func (d *door) callback(w http.ResponseWriter, r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return latchkey.Errorf(latchkey.Invalid, "the provider's answer is malformed")
	}
	answer := link.Callback{Provider: r.PathValue("provider"), OrganisationID: r.PathValue("organisation"), Query: query}
	id, ok := link.SessionOfState(answer.State())
	if !ok {
		return latchkey.Errorf(latchkey.Forbidden, "this answer does not belong to what this browser began")
	}
	secret, left := d.whereFrom(r, id)
	if secret == "" {
		return d.drawLost(w, r)
	}
	r = asPage(r, secret, left)
	answer.Seen = link.Witness{Address: web.Address(r), UserAgent: r.UserAgent()}
	session, err := d.config.Links.Return(r.Context(), secret, answer)
	if session == nil {
		if latchkey.CodeOf(err) == latchkey.NotFound {
			return d.drawSilent(w, r, http.StatusNotFound)
		}
		return err
	}
	web.Annotate(r.Context(), slog.String("session", session.ID))
	if err != nil && latchkey.CodeOf(err) != latchkey.Conflict && latchkey.CodeOf(err) != latchkey.Invalid {
		return err
	}
	if session.State.Final() || session.State == latchkey.StateConfirm {
		d.forgetAway(w, session.ID)
	}
	return d.arrive(w, r, session, left.Get(windowParameter) != "")
}

// asPage returns the request as one for the page of the session.
func asPage(r *http.Request, secret string, query url.Values) *http.Request {
	page := r.Clone(r.Context())
	page.SetPathValue("clientSecret", secret)
	page.URL = &url.URL{Path: "/s/" + secret, RawQuery: query.Encode()}
	return page
}

// arrive shows the person who has come back what came of it: after a success
// the app, and what went wrong on the page.
func (d *door) arrive(w http.ResponseWriter, r *http.Request, session *latchkey.LinkSession, window bool) error {
	over := link.ReturnURL(session) != "" &&
		(session.State == latchkey.StateCompleted || session.State == latchkey.StateConfirm)
	hosted := session.Request.Mode == latchkey.ModeHosted
	switch {
	case window:
		return d.drawReturned(w, r, session, over)
	case !hosted && link.ReturnURL(session) != "":
		redirect(w, link.ReturnURL(session))
		return nil
	case !hosted:
		return d.drawReturned(w, r, session, false)
	case over:
		if pageQuery(r).Get("embed") == "true" {
			return d.drawDeparting(w, r, session)
		}
		return d.depart(w, r, session)
	}
	query := ownQuery(r)
	if session.State == latchkey.StateTrying {
		query.Set(triedParameter, strconv.FormatInt(session.Version, 10))
	}
	redirect(w, pagePath(r, query))
	return nil
}

// drawReturned draws the page of a window that has served its purpose. Its
// script hands what there is to tell to the page that opened it.
func (d *door) drawReturned(w http.ResponseWriter, r *http.Request, session *latchkey.LinkSession, over bool) error {
	app, err := d.config.Links.App(r.Context(), session)
	if latchkey.CodeOf(err) == latchkey.NotFound {
		return d.drawSilent(w, r, http.StatusGone)
	}
	if err != nil {
		return err
	}
	page := d.frame(r, session, app)
	page.Content, page.Languages = Returned{}, nil
	if host := embeddedBy(r, session, app); over && host.Origin != "" {
		if err := tellEnd(&page, session, app, host); err != nil {
			return err
		}
	}
	return writePage(w, http.StatusOK, page)
}

// drawLost explains that an answer came to a browser that was not sent for it:
// another browser was, or this one keeps no cookies.
func (d *door) drawLost(w http.ResponseWriter, r *http.Request) error {
	return writePage(w, http.StatusForbidden, silent(r, Lost{}))
}
