// Package hosted is the end-user door: the pages on which a person links an account.
// Every page is one Page value and one call; the pages are HTML forms that need
// no script. Theirs keeps a page still while a form is sent, and talks to the
// page that embeds it (embed.go, script/).
//
//	handler ──▶ Page{…, Content: Login{…}} ──▶ drawn before? (drawn.go) ─────────────┐
//	                                             └▶ Render ──▶ templates/layout.html │
//	                                                  │          └▶ templates/login.html
//	                              catalogue (language.go)             │              │
//	                              clean (name.go)                     ▼              ▼
//	person ◀── text/html; /static/<hash>/link.css, page.js, icons.svg, icon.svg
//	   └── POST version, action, fields ──▶ handler ──▶ 303 to the same page
package hosted

// Themes of a page. Auto follows the person's system.
const (
	ThemeAuto  = "auto"
	ThemeLight = "light"
	ThemeDark  = "dark"
)

// Page is one hosted page: what every page needs, and the Content of its step.
//
// The names and domains may hold anything: they are cleaned, cut and isolated
// when they are drawn. The three paths are trusted: Render refuses one that
// could lead to another host.
type Page struct {
	Lang  string // BCP 47 tag of one of our languages; anything else is en
	Theme string // ThemeAuto, ThemeLight or ThemeDark; anything else is auto

	AppName        string // of the client app, as its operator registered it
	AppDomain      string // of the client app, verified
	ProviderName   string // "" while the person has not chosen one
	ProviderDomain string // the site the credentials belong to
	LogoPath       string // path of the provider's logo, served by us; "" draws a monogram
	Sandbox        bool   // nothing here is real; the page says so

	AssetPrefix string // where Assets is served, for example "/static/" + AssetHash()
	Action      string // path the form posts to; "" is the page's own URL
	Version     int64  // of the session that is drawn; comes back with the form
	Secret      string // client secret in the paths of the page; "" where it is none's
	RequestID   string // req_…, shown small where something went wrong
	CanGoBack   bool   // offers the button "back"

	Languages []Language // to choose from; none: no choice is offered
	Accent    string     // of the app, six hexadecimal digits; "" is ours
	AppLogo   string     // path of the app's logo, served by us; "" draws a monogram

	HostOrigin string // that the script may tell Messages; "" when nobody embeds the page
	Messages   string // JSON array of what to tell it
	Leave      string // where the script goes when nobody embeds the page; "" to stay
	EventsPath string // of the stream that tells of changes; "" when the page waits for none

	Content Content // the step; never nil
}

// Content is what one step adds to a page: PreLogin, Reconnect, Authorization, Login,
// TwoFactor, Redirect, Wait, Trying, Confirming, Done, Cancelled, Elsewhere,
// Foreign, Error, Expired, Gone, NotFound or Trouble.
type Content interface {
	// name is the template and the first part of the text keys.
	name() string
}
