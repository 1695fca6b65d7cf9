package hosted

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey"
	"latchkey/internal/link"
	"latchkey/internal/web"
)

// draw answers with the page of the session's state.
func (d *door) draw(w http.ResponseWriter, r *http.Request, session *latchkey.LinkSession) error {
	if session.State.Final() {
		web.LastWord(w.Header())
	}
	app, err := d.config.Links.App(r.Context(), session)
	if latchkey.CodeOf(err) == latchkey.NotFound { // the app has been deleted
		return d.drawSilent(w, r, http.StatusGone)
	}
	if err != nil {
		return err
	}
	host := embeddedBy(r, session, app)
	content, status := d.content(r, session)
	if _, gone := content.(Gone); gone {
		if host.Origin != "" { // who asks has named it already
			web.AllowFraming(w.Header(), []string{host.Origin}, nil)
		}
		return d.drawSilent(w, r, status)
	}
	if session.AppSuspended {
		return latchkey.Errorf(latchkey.Forbidden, "the app that asks is suspended")
	}
	page := d.frame(r, session, app)
	page.Content = content
	if page.HostOrigin = host.Origin; host.Origin != "" {
		if page.Messages, err = d.told(session, content); err != nil {
			return err
		}
	}
	d.allowFraming(w, session, app)
	if host.Foreign {
		page.Content, page.Messages, page.Languages = Foreign{Path: alone(r)}, "", nil
		return writePage(w, status, page)
	}
	switch content := content.(type) {
	case Trying:
		query := ownQuery(r)
		query.Set(triedParameter, strconv.FormatInt(session.Version, 10))
		w.Header().Set("Refresh", strconv.Itoa(content.RefreshAfter())+"; url="+pagePath(r, query))
		page.EventsPath = eventsPath(r, query)
	case Redirect: // a window of its own may end what this page waits for
		query := ownQuery(r)
		query.Set(triedParameter, strconv.FormatInt(session.Version+1, 10))
		page.EventsPath = eventsPath(r, query)
	case Wait:
		page.EventsPath = eventsPath(r, pageQuery(r))
	}
	return d.drawn.write(w, status, &page)
}

// allowFraming lets the app's own pages frame the page, and its forms lead to
// the app.
func (d *door) allowFraming(w http.ResponseWriter, session *latchkey.LinkSession, app latchkey.ClientApp) {
	d.drawn.policy(app.AllowedOrigins, session.Request.RedirectURL).Set(w.Header())
}

// told is what the page tells its host when it is drawn.
func (d *door) told(session *latchkey.LinkSession, content Content) (string, error) {
	if _, over := content.(Expired); over {
		return encoded(invalidSession)
	}
	if session.Environment != latchkey.Sandbox {
		return encoded()
	}
	return encoded(message{messageType, "sandbox_info", sandboxMetadata{
		Scenarios: d.config.Scenarios(session.Progress.Provider), CurrentScreen: content.name(),
	}})
}

// drawSilent answers for a link that opens nothing, and reveals nothing. Its
// host may learn that, though nobody knows whose host it is.
func (d *door) drawSilent(w http.ResponseWriter, r *http.Request, status int) error {
	web.LastWord(w.Header())
	page := silent(r, Gone{})
	if r.Header.Get(scripted) != "" {
		page.Content = Elsewhere{} // its page was open when the link ended
	}
	if query := pageQuery(r); query.Get("embed") == "true" && isOrigin(query.Get("embed_origin")) {
		page.HostOrigin = query.Get("embed_origin")
		var err error
		if page.Messages, err = encoded(invalidSession); err != nil {
			return err
		}
	}
	return writePage(w, status, page)
}

// silent is a page that knows nothing of any session.
func silent(r *http.Request, content Content) Page {
	spoken := speak(r, "")
	return Page{
		Lang: spoken.tag, Theme: asked(r, "theme"), AssetPrefix: assetPrefix(),
		RequestID: web.RequestID(r.Context()), Languages: languages(r, spoken), Content: content,
	}
}

// frame is what the page of every step shows.
func (d *door) frame(r *http.Request, session *latchkey.LinkSession, app latchkey.ClientApp) Page {
	spoken := speak(r, session.Request.Locale)
	page := Page{
		Lang: spoken.tag, Theme: asked(r, "theme"), AppName: app.Name, AppDomain: app.Domain,
		Sandbox: session.Environment == latchkey.Sandbox, AssetPrefix: assetPrefix(),
		Action: pagePath(r, pageQuery(r)), Version: session.Version, RequestID: web.RequestID(r.Context()),
		CanGoBack: session.State == latchkey.StateAuthorization || session.State == latchkey.StateLogin,
		Languages: languages(r, spoken), Accent: accentOf(app.AccentColor), Secret: r.PathValue("clientSecret"),
		AppLogo: d.config.Logos.path(r.Context(), app.LogoURL),
	}
	if provider, ok := d.providers.find(session.Progress.Provider); ok {
		page.ProviderName, page.ProviderDomain, page.LogoPath = provider.Name, provider.Domain, provider.logoPath
	}
	return page
}

// content is what the step adds, and the page's status.
func (d *door) content(r *http.Request, session *latchkey.LinkSession) (Content, int) {
	progress := session.Progress
	canReturn := link.ReturnURL(session) != ""
	switch session.State {
	case latchkey.StatePreLogin:
		return d.preLogin(r, session), http.StatusOK
	case latchkey.StateAuthorization:
		return Authorization{Permissions: session.Request.Permissions, Refused: progress.Refused}, http.StatusOK
	case latchkey.StateLogin:
		return Login{
			Prompt: progress.Prompt, Refused: progress.Refused, AttemptsLeft: progress.AttemptsLeft,
			Reconnect: session.Request.Expected,
		}, http.StatusOK
	case latchkey.StateTwoFactor:
		return TwoFactor{
			Prompt: progress.Prompt, Refused: progress.Refused, AttemptsLeft: progress.AttemptsLeft,
			ResendIn: d.resendIn(progress.Prompt),
		}, http.StatusOK
	case latchkey.StateTrying:
		return Trying{}, http.StatusOK
	case latchkey.StateWait:
		return Wait{
			Message: progress.Prompt.Message, Looked: r.URL.Query().Has(lookedParameter), Refused: progress.Refused,
			URL: progress.Prompt.URL, PollIn: progress.RetryAfter,
		}, http.StatusOK
	case latchkey.StateRedirect:
		return Redirect{Path: awayPath(r)}, http.StatusOK
	case latchkey.StateExpired:
		return Expired{CanContinue: canReturn}, http.StatusGone
	case latchkey.StateFailed:
		return failedWith(session, canReturn), http.StatusOK
	case latchkey.StateDenied:
		if !link.Cancelled(session) {
			return failedWith(session, canReturn), http.StatusOK
		}
		if !canReturn {
			return Cancelled{}, http.StatusOK
		}
	case latchkey.StateConfirm:
		return Confirming{}, http.StatusOK
	case latchkey.StateCompleted:
		if !canReturn {
			return Done{Username: linkedName(session)}, http.StatusOK
		}
	}
	return Gone{}, http.StatusGone
}

// resendPause is how long a code may take to arrive: until then the page does
// not invite to ask for another.
const resendPause = 30 * time.Second

// resendIn returns the seconds until the page invites to ask for another code.
func (d *door) resendIn(prompt latchkey.Prompt) int {
	code := phoneCode(prompt)
	if code == nil {
		return 0
	}
	sent, err := time.Parse(time.RFC3339, code.LastSentDate)
	if err != nil {
		return 0
	}
	left := sent.Add(resendPause).Sub(d.config.Now())
	return int(min(max(left, 0), resendPause).Round(time.Second) / time.Second)
}

func failedWith(session *latchkey.LinkSession, canReturn bool) Error {
	return Error{
		Code: session.Progress.Failure, CanContinue: canReturn, Expected: session.Request.Expected,
		Came: session.Progress.Came,
	}
}

// searchFrom is how many providers are too many to look through.
const searchFrom = 7

// searchParameter is in the query of a page on which a provider is searched.
const searchParameter = "q"

func (d *door) preLogin(r *http.Request, session *latchkey.LinkSession) PreLogin {
	content := PreLogin{Providers: d.choices(session), Reconnect: session.Request.Expected}
	content.Many = len(content.Providers) > 1
	if content.Searching = len(content.Providers) >= searchFrom; !content.Searching {
		return content
	}
	content.Search = clean(r.URL.Query().Get(searchParameter), nameLimit)
	wanted := strings.ToLower(content.Search)
	content.Providers = slices.DeleteFunc(content.Providers, func(choice ProviderChoice) bool {
		return !choice.Selected && !strings.Contains(strings.ToLower(choice.Name+" "+choice.Domain), wanted)
	})
	return content
}

// choices are the providers to choose from, when there are several.
func (d *door) choices(session *latchkey.LinkSession) []ProviderChoice {
	if len(session.Request.Providers) < 2 {
		return nil
	}
	var choices []ProviderChoice
	for _, id := range session.Request.Providers {
		if provider, ok := d.providers.find(id); ok {
			choices = append(choices, ProviderChoice{
				ID: id, Name: provider.Name, Domain: provider.Domain, LogoPath: provider.logoPath,
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
	writeDocument(w, status, drawn.Bytes())
	return nil
}

// ErrorPage answers a person for whom no page could be drawn.
func ErrorPage(w http.ResponseWriter, r *http.Request, status int) {
	if err := writePage(w, status, silent(r, Trouble{Status: status})); err != nil {
		w.WriteHeader(status)
	}
}
