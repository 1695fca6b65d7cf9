package hosted

import "latchkey"

// PreLogin says who asks and for which provider. It offers "continue" and
// "cancel", and the input "provider" when there are several.
type PreLogin struct {
	Providers []ProviderChoice // to choose from; none or one: nothing to choose
	Many      bool             // there are several, whether or not the search found them
	Searching bool             // there are enough for a search
	Search    string           // what was searched for
	Reconnect string           // username of the account to link again; "" for a new link
}

// ProviderChoice is one provider a person may choose.
type ProviderChoice struct {
	ID       string // value of the input "provider"
	Name     string
	Domain   string
	LogoPath string // as Page.LogoPath
	Selected bool
}

// Reconnect offers to link an account anew, before there is a session. It
// offers "continue", and names nobody.
type Reconnect struct{}

// Authorization asks for consent to the permissions. It offers "approve" and
// "deny".
type Authorization struct {
	Permissions []latchkey.Permission
	Refused     latchkey.FailureCode // why the provider could not be asked for its login; "" when it was not yet
}

// Login asks for what the provider wants first and says who receives it. It
// offers "continue" and "cancel"; the inputs carry the names of the fields.
type Login struct {
	Prompt       latchkey.Prompt
	Refused      latchkey.FailureCode // why the last input was refused; "" when this is a new question
	AttemptsLeft int                  // 0 when it is not counted
	Reconnect    string               // as in PreLogin
}

// TwoFactor asks for a second factor. It offers "continue" and "cancel",
// "resend" while codes may be asked for, and the input "method" when there are
// several. A code may come in with the spaces or hyphens people copy with it.
type TwoFactor struct {
	Prompt       latchkey.Prompt
	Refused      latchkey.FailureCode // as in Login
	AttemptsLeft int                  // 0 when it is not counted
	ResendIn     int                  // seconds until another code may be asked for; 0: now
}

// Redirect sends the person to the provider's own page. It is a link and not
// an answer 303, since a browser holds the redirects of a form against the
// form-action of the page that held it.
type Redirect struct {
	Path string // of ours, which sends the browser on and lets it be known when it comes back
}

// Wait asks the person to do something elsewhere and to say when it is done.
// Looking changes nothing, so the page does not look by itself, which would
// also take the focus away under somebody's hands. It offers "poll" and
// "cancel".
type Wait struct {
	Message string               // of the prompt; "" for the usual sentence
	Looked  bool                 // the provider was just asked and still waits
	Refused latchkey.FailureCode // why the last look failed; "" when it did not
	URL     string               // of the provider, where it is done; "" when it is no page
	PollIn  int                  // seconds until it is worth a look
}

// Trying shows that an input is being tried. The handler lets the page load
// again every few seconds, which draws what came of it. It offers "poll".
type Trying struct{}

// RefreshAfter returns the seconds until the page is loaded again.
func (Trying) RefreshAfter() int { return 2 }

// Confirming says that the sign-in is done and the app must confirm it. It is
// seen by whoever comes back to the page: the way to the app was in the answer
// that ended the sign-in, and is in no other.
type Confirming struct{}

// Done says that the account is linked.
type Done struct {
	Username  string // of the linked account; may be empty
	ReturnURL string // back to the app; "" when there is nowhere to go
}

// Cancelled says that the person left, where they do not go back to the app by
// themselves.
type Cancelled struct {
	ReturnURL string // back to the app; "" when there is nowhere to go
}

// Elsewhere says to a page that was open meanwhile that another one has
// finished the session. It tells nothing of how.
type Elsewhere struct{}

// Returned is the page of a window in which somebody was at the provider's own
// page: it may be closed, and the page that opened it goes on.
type Returned struct{}

// Lost answers somebody who brings an answer of the provider to a browser that
// was not sent for one. It tells nothing of the session.
type Lost struct{}

// Foreign is drawn for a site that is not the app's: it explains itself and
// offers the page on its own.
type Foreign struct {
	Path string // of the page without the parameters of embedding
}

// Trouble says that no page could be drawn.
type Trouble struct {
	Status int // of the answer
}

// Error explains why a session ended without a link. It offers "continue".
type Error struct {
	Code        latchkey.FailureCode
	Title       string // "" for the text of the code
	Explanation string // "" for the text of the code
	CanContinue bool   // the app can be told
	Expected    string // username of the account that was linked before, when it was not this one
	Came        string // username of the account that came instead
}

// Expired says that the session was not finished in time. It offers
// "continue".
type Expired struct {
	CanContinue bool // the app can be told
}

// Gone answers an unknown or finished link. It shows nothing of the page but
// its language, theme and request id.
type Gone struct{}

// NotFound answers an unknown path, as silent as Gone.
type NotFound struct{}

func (PreLogin) name() string      { return "pre-login" }
func (Reconnect) name() string     { return "reconnect" }
func (Authorization) name() string { return "authorization" }
func (Login) name() string         { return "login" }
func (TwoFactor) name() string     { return "2fa" }
func (Redirect) name() string      { return "redirect" }
func (Wait) name() string          { return "wait" }
func (Trying) name() string        { return "trying" }
func (Confirming) name() string    { return "confirming" }
func (Done) name() string          { return "done" }
func (Cancelled) name() string     { return "cancelled" }
func (Elsewhere) name() string     { return "elsewhere" }
func (Returned) name() string      { return "returned" }
func (Lost) name() string          { return "lost" }
func (Foreign) name() string       { return "foreign" }
func (Error) name() string         { return "error" }
func (Expired) name() string       { return "expired" }
func (Gone) name() string          { return "gone" }
func (NotFound) name() string      { return "not-found" }
func (Trouble) name() string       { return "trouble" }
