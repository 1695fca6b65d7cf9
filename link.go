package latchkey

import "slices"

// State is where a link session stands. It is what is stored; the status of
// the published API is derived from it.
type State string

// The states of a session. The first five names are also the steps by which
// redirects and whitelabel answers call them.
const (
	StatePreLogin      State = "pre-login"     // says who asks, for which provider
	StateAuthorization State = "authorization" // asks for consent to the permissions
	StateLogin         State = "login"         // asks for what the provider wants first
	StateTwoFactor     State = "2fa"           // asks for a second factor
	StateTrying        State = "trying"        // an input is being tried upstream, under a lease
	StateRedirect      State = "redirect"      // the person is at the provider's own page
	StateWait          State = "wait"          // something happens elsewhere (a push, a check)
	StateConfirm       State = "confirm"       // logged in; the app's backend must confirm that it is its own user
	StateCompleted     State = "completed"     // linked
	StateDenied        State = "denied"        // refused by the person, or the provider refused the person
	StateFailed        State = "failed"        // gave up; the failure code says why
	StateExpired       State = "expired"       // not finished in time
)

// transitions is the only table of legal moves. Everything that writes a
// session's state asks Next first.
var transitions = map[State][]State{
	StatePreLogin:      {StatePreLogin, StateAuthorization, StateDenied, StateFailed, StateExpired},
	StateAuthorization: {StatePreLogin, StateTrying, StateDenied, StateFailed, StateExpired},
	StateLogin:         {StateAuthorization, StateTrying, StateDenied, StateFailed, StateExpired},
	StateTwoFactor:     {StateTrying, StateDenied, StateFailed, StateExpired},
	StateRedirect:      {StateTrying, StateDenied, StateFailed, StateExpired},
	StateWait:          {StateTrying, StateDenied, StateFailed, StateExpired},
	StateTrying: {
		StateAuthorization, StateLogin, StateTwoFactor, StateRedirect, StateWait,
		StateConfirm, StateCompleted, StateDenied, StateFailed, StateExpired,
	},
	StateConfirm:   {StateCompleted, StateDenied, StateFailed, StateExpired},
	StateCompleted: {},
	StateDenied:    {},
	StateFailed:    {},
	StateExpired:   {},
}

// States lists every state, in the order of a session's life.
func States() []State {
	return []State{
		StatePreLogin, StateAuthorization, StateLogin, StateTwoFactor, StateTrying, StateRedirect,
		StateWait, StateConfirm, StateCompleted, StateDenied, StateFailed, StateExpired,
	}
}

// CanBecome reports whether a session may move from s to next.
func (s State) CanBecome(next State) bool { return slices.Contains(transitions[s], next) }

// Final reports whether nothing can follow.
func (s State) Final() bool { return len(transitions[s]) == 0 }

// SessionStatuses lists the statuses a list may be filtered by.
func SessionStatuses() []SessionStatus {
	return []SessionStatus{
		StatusInitialized, StatusPending, StatusAwaiting2FA, StatusCompleted, StatusInvalidCredentials, StatusDenied,
		StatusFailed,
	}
}

// SessionStatus is a session's status in the published API.
type SessionStatus string

// The statuses of the published API.
const (
	StatusInitialized        SessionStatus = "initialized"
	StatusPending            SessionStatus = "pending"
	StatusAwaiting2FA        SessionStatus = "awaiting_2fa"
	StatusCompleted          SessionStatus = "completed"
	StatusInvalidCredentials SessionStatus = "invalid_credentials"
	StatusDenied             SessionStatus = "denied"
	StatusFailed             SessionStatus = "failed"
	StatusNotFound           SessionStatus = "not_found"
)

// FailureCode says why a session did not end in a connection: the error_code
// of the redirect and of the status.
type FailureCode string

// The failure codes of the contract.
const (
	FailureSessionExpired      FailureCode = "session_expired"
	FailureInvalidCredentials  FailureCode = "invalid_credentials"
	FailureAccountLocked       FailureCode = "account_locked"
	FailureTwoFactor           FailureCode = "2fa_failed"
	FailureAccessDenied        FailureCode = "access_denied"
	FailureAccountMismatch     FailureCode = "account_mismatch"
	FailureProviderUnavailable FailureCode = "provider_unavailable"
	FailureTooManyAttempts     FailureCode = "too_many_attempts"
	FailureLocationUnavailable FailureCode = "location_unavailable"
	FailureCancelled           FailureCode = "cancelled"
)

// Mode is how a session is driven.
type Mode string

// The modes of the answer to init.
const (
	ModeHosted     Mode = "hosted"     // by our pages
	ModeWhitelabel Mode = "whitelabel" // by the app, in JSON
)

// Action is what a submission asks for.
type Action string

// The actions of hosted buttons and whitelabel submissions.
const (
	ActionContinue Action = "continue" // go on, with the fields
	ActionApprove  Action = "approve"  // consent
	ActionDeny     Action = "deny"     // refuse consent
	ActionResend   Action = "resend"   // send another code
	ActionBack     Action = "back"     // one step back
	ActionCancel   Action = "cancel"   // give up
	ActionPoll     Action = "poll"     // see whether what we wait for has happened
	ActionCallback Action = "callback" // the provider sent the person back
)

// Actions lists the actions a person or an app may name.
func Actions() []Action {
	return []Action{ActionContinue, ActionApprove, ActionDeny, ActionResend, ActionBack, ActionCancel, ActionPoll}
}
