package hosted

import (
	"bytes"
	"net/http"
	"strconv"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// draw answers with the page of the session's state.
func (d *door) draw(w http.ResponseWriter, r *http.Request, session *latchkey.LinkSession) error {
	content, status := d.content(session, r.URL.Query().Has(lookedParameter))
	if _, gone := content.(Gone); gone {
		return d.drawSilent(w, r, status) // not even the headers name the app
	}
	app, err := d.config.Links.App(r.Context(), session)
	if latchkey.CodeOf(err) == latchkey.NotFound { // the app has been deleted
		return d.drawSilent(w, r, http.StatusGone)
	}
	if err != nil {
		return err
	}
	if session.AppSuspended {
		return latchkey.Errorf(latchkey.Forbidden, "the app that asks is suspended")
	}
	web.AllowFraming(w.Header(), app.AllowedOrigins, []string{formTarget(session.Request.RedirectURL)})
	page := d.frame(r, session, app)
	page.Content = content
	if trying, ok := content.(Trying); ok {
		query := pageQuery(r)
		query.Set(triedParameter, strconv.FormatInt(session.Version, 10))
		w.Header().Set("Refresh", strconv.Itoa(trying.RefreshAfter())+"; url="+pagePath(r, query))
	}
	return writePage(w, status, page)
}

// drawSilent answers for a link that opens nothing, and reveals nothing.
func (d *door) drawSilent(w http.ResponseWriter, r *http.Request, status int) error {
	return writePage(w, status, Page{
		Lang: "en", Theme: r.URL.Query().Get("theme"), AssetPrefix: assetPrefix(),
		RequestID: web.RequestID(r.Context()), Content: Gone{},
	})
}

// frame is what the page of every step shows.
func (d *door) frame(r *http.Request, session *latchkey.LinkSession, app latchkey.ClientApp) Page {
	page := Page{
		Lang: "en", Dir: "ltr", Theme: r.URL.Query().Get("theme"), AppName: app.Name, AppDomain: app.Domain,
		Sandbox: session.Environment == latchkey.Sandbox, AssetPrefix: assetPrefix(),
		Action: pagePath(r, pageQuery(r)), Version: session.Version, RequestID: web.RequestID(r.Context()),
		CanGoBack: session.State == latchkey.StateAuthorization || session.State == latchkey.StateLogin,
	}
	if provider, ok := d.config.Provider(session.Progress.Provider); ok {
		page.ProviderName, page.ProviderDomain, page.LogoPath = provider.Name, provider.Domain, logoPath(provider)
	}
	return page
}

// content is what the step adds, and the page's status. Looked says that the
// provider was just asked whether what we wait for has happened.
func (d *door) content(session *latchkey.LinkSession, looked bool) (Content, int) {
	progress := session.Progress
	canReturn := link.ReturnURL(session) != ""
	switch session.State {
	case latchkey.StatePreLogin:
		return PreLogin{Providers: d.choices(session)}, http.StatusOK
	case latchkey.StateAuthorization:
		return Authorization{Permissions: session.Request.Permissions, Refused: progress.Refused}, http.StatusOK
	case latchkey.StateLogin:
		return Login{Prompt: progress.Prompt, Refused: progress.Refused, AttemptsLeft: progress.AttemptsLeft}, http.StatusOK
	case latchkey.StateTwoFactor:
		return TwoFactor{
			Prompt: progress.Prompt, Refused: progress.Refused, AttemptsLeft: progress.AttemptsLeft,
		}, http.StatusOK
	case latchkey.StateTrying:
		return Trying{}, http.StatusOK
	case latchkey.StateWait:
		return Wait{Message: progress.Prompt.Message, Looked: looked, Refused: progress.Refused}, http.StatusOK
	case latchkey.StateRedirect:
		return Redirect{URL: progress.RedirectURL}, http.StatusOK
	case latchkey.StateExpired:
		return Expired{CanContinue: canReturn}, http.StatusGone
	case latchkey.StateFailed:
		return Error{Code: progress.Failure, CanContinue: canReturn}, http.StatusOK
	case latchkey.StateDenied:
		if !link.Cancelled(session) {
			return Error{Code: progress.Failure, CanContinue: canReturn}, http.StatusOK
		}
	case latchkey.StateConfirm:
		return Confirming{}, http.StatusOK
	case latchkey.StateCompleted:
		if !canReturn {
			return Done{}, http.StatusOK
		}
	}
	return Gone{}, http.StatusGone
}

// choices are the providers to choose from, when there are several.
func (d *door) choices(session *latchkey.LinkSession) []ProviderChoice {
	if len(session.Request.Providers) < 2 {
		return nil
	}
	var choices []ProviderChoice
	for _, id := range session.Request.Providers {
		if provider, ok := d.config.Provider(id); ok {
			choices = append(choices, ProviderChoice{
				ID: id, Name: provider.Name, Domain: provider.Domain, LogoPath: logoPath(provider),
				Selected: id == session.Progress.Provider,
			})
		}
	}
	return choices
}

// writePage draws the whole page before it answers, so that one that can't be
// drawn is an error and not half a page.
func writePage(w http.ResponseWriter, status int, page Page) error {
	var drawn bytes.Buffer
	if err := Render(&drawn, page); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(drawn.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(drawn.Bytes())
	return nil
}
