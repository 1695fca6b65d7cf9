package hosted

import "latchkey/internal/link"

// consent is the wording that a person agrees to. It is the link room's, since
// apps with pages of their own show the same.
var consent = link.EnglishConsent()

// catalogue holds every sentence of the pages in one language. Words in braces
// are filled in when a sentence is drawn: {app} {domain} {provider} {site} are
// names, {n} is a number, {x} a foreign text. A key with ".one" stands for the
// number 1.
type catalogue map[string]string

// catalogues by language. English is complete and stands in for the others.
var catalogues = map[string]catalogue{"en": english}

var english = catalogue{
	"nobody.app":      "the app",
	"nobody.provider": "the provider",

	"asker.label":     "Asked by",
	"asker.domain":    "verified domain",
	"sandbox":         "Sandbox",
	"sandbox.meaning": "Test accounts only",
	"latchkey":        "Latchkey, run by the operator of this site",
	"request":         "Request",

	"button.continue": "Continue",
	"button.back":     "Back",
	"button.cancel":   "Cancel",

	"pre-login.title":        "Link your {provider} account — {app}",
	"pre-login.title.many":   "Link an account — {app}",
	"pre-login.heading":      "Link your {provider} account",
	"pre-login.heading.many": "Which account do you want to link?",
	"pre-login.again":        "Link your {provider} account again",
	"pre-login.lead":         "{app} asks to use your account at {site}. Next you see what for, and you decide.",
	"pre-login.lead.many":    "{app} asks to use one of your accounts. Next you see what for, and you decide.",
	"pre-login.lead.again":   "{app} asks for access to {x} at {site} again. Sign in to the same account.",
	"pre-login.choose":       "Choose a provider",

	"authorization.title":     "Allow {app} to use your {provider} account?",
	"authorization.heading":   consent.Heading,
	"authorization.list":      consent.ListHeading,
	"authorization.none":      consent.NothingMore,
	"authorization.noreason":  consent.NoReason,
	"authorization.promises":  "What you keep",
	"authorization.password":  consent.Password,
	"authorization.revoke":    consent.Revoke,
	"authorization.approve":   "Allow and continue",
	"authorization.deny":      "Don’t allow",
	"permission.profile:read": "Read your profile",

	"login.title":    "Sign in to {provider} — {app}",
	"login.heading":  "Sign in to {provider}",
	"login.lead":     "With the account you use at {site}.",
	"login.receiver": "You are giving your {provider} password to Latchkey, run by the operator of this site. Latchkey uses it to sign in to {site} for {app}. {app} never sees it.",
	"login.submit":   "Sign in",

	"attempts":     "{n} attempts left.",
	"attempts.one": "This is the last attempt.",

	"2fa.title":            "Confirm it is you at {provider} — {app}",
	"2fa.heading":          "Confirm it is you",
	"2fa.lead":             "{provider} wants a second proof that this account is yours.",
	"2fa.lead.phone":       "{provider} sent a code to the phone ending in {x}.",
	"2fa.method":           "How do you want to confirm?",
	"2fa.submit":           "Confirm",
	"2fa.resend":           "Send another code",
	"2fa.resends":          "{n} more codes can be sent.",
	"2fa.resends.one":      "One more code can be sent.",
	"2fa.digits":           "Digits only",
	"2fa.method.phone":     "Code by text message",
	"2fa.method.app":       "Code from an authenticator app",
	"2fa.method.email":     "Code by e-mail",
	"2fa.method.face":      "Face check",
	"2fa.method.forceFace": "New face check",
	"2fa.method.push":      "Approve on another device",

	"redirect.title":   "Continue at {provider} — {app}",
	"redirect.heading": "Continue at {provider}",
	"redirect.lead":    "You sign in at {site} itself and come back here afterwards. Check the address before you type a password there.",
	"redirect.go":      "Go to {provider}",

	"wait.title":   "Waiting for {provider} — {app}",
	"wait.heading": "Waiting for your approval",
	"wait.lead":    "Open {provider} on your other device and approve the sign-in.",
	"wait.next":    "When that is done, press the button.",
	"wait.notyet":  "Not yet: {provider} is still waiting for you.",
	"wait.check":   "Done, continue",

	"trying.title":   "Signing in to {provider} — {app}",
	"trying.heading": "Signing in to {provider}",
	"trying.lead":    "This usually takes a few seconds.",
	"trying.again":   "This page looks again every {n} seconds.",
	"trying.check":   "Check now",

	"confirming.title":   "Go back to {app}",
	"confirming.heading": "Go back to {app}",
	"confirming.lead":    "You have signed in at {provider}. The page that brought you here takes you back to {app}, which finishes the link.",
	"confirming.lost":    "If you see this page and no other, start again in {app}. Without its confirmation nothing is linked.",

	"done.title":   "Your {provider} account is linked — {app}",
	"done.heading": "Your {provider} account is linked",
	"done.lead":    "{app} can now use it as you allowed.",
	"done.user":    "{app} can now use {x} as you allowed.",
	"done.close":   "You can close this page.",
	"done.return":  "Back to {app}",

	"error.title":    "{x} — {app}",
	"error.nothing":  "Nothing was linked.",
	"error.continue": "Back to {app}",

	"expired.title":   "This link has expired — {app}",
	"expired.heading": "This link has expired",
	"expired.lead":    "For your safety a link is open for a short time only. Nothing was linked. Start again in {app}.",

	"gone.title":        "This link is no longer valid",
	"gone.heading":      "This link is no longer valid",
	"gone.lead":         "It was used already, was cancelled, or never existed. Go back to the app that sent you here and start again.",
	"not-found.title":   "There is no page here",
	"not-found.heading": "There is no page here",
	"not-found.lead":    "Check the address, or go back to the app that sent you here.",

	"refused.title":                "Error: {x}",
	"refused.summary":              "That did not work",
	"refused":                      "{provider} did not accept this. Check it and try again.",
	"refused.field":                "Not accepted. Please type it again.",
	"refused.invalid_credentials":  "{provider} did not accept these details. Check them and try again.",
	"refused.2fa_failed":           "{provider} did not accept this code. Check it, or ask for another one.",
	"refused.code":                 "{provider} did not accept this code. Check it and try again.",
	"refused.unreached":            "{provider} could not be reached just now. Try again in a moment.",
	"refused.provider_unavailable": "{provider} could not be reached just now. What you typed was not kept. Try again in a moment.",

	"failure":                                  "Something went wrong",
	"failure.explanation":                      "The link could not be completed.",
	"failure.session_expired":                  "This took too long",
	"failure.session_expired.explanation":      "For your safety a link is open for a short time only. Start again in {app}.",
	"failure.invalid_credentials":              "{provider} did not accept the sign-in",
	"failure.invalid_credentials.explanation":  "Check that you can sign in at {site}, then start again in {app}.",
	"failure.account_locked":                   "{provider} has locked this account",
	"failure.account_locked.explanation":       "Unlock it at {site} first, then start again in {app}.",
	"failure.2fa_failed":                       "The confirmation did not succeed",
	"failure.2fa_failed.explanation":           "{provider} did not get the second proof it wanted. Start again in {app} when you have it at hand.",
	"failure.access_denied":                    "{provider} refused access",
	"failure.access_denied.explanation":        "{provider} does not let this account be linked, or the request was refused there.",
	"failure.account_mismatch":                 "That is a different account",
	"failure.account_mismatch.explanation":     "{app} asked for the account that was linked before, and you signed in to another one. The earlier link is as it was.",
	"failure.provider_unavailable":             "{provider} can’t be reached",
	"failure.provider_unavailable.explanation": "It may be down or busy. What you typed was not kept. Try again in a few minutes.",
	"failure.too_many_attempts":                "Too many attempts",
	"failure.too_many_attempts.explanation":    "To protect your account we stopped here. Wait a while, check that you can sign in at {site}, then start again in {app}.",
	"failure.location_unavailable":             "Your region can’t be served just now",
	"failure.location_unavailable.explanation": "There is no connection to {provider} from the place this link needs. Try again later.",
	"failure.cancelled":                        "You cancelled",
	"failure.cancelled.explanation":            "You can start again in {app} whenever you like.",
}
