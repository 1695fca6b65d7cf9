package link

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"latchkey"
	"latchkey/internal/connector"
)

// Budgets are how often may be tried, across all apps, sessions and replicas.
// A nil list is the default's; an empty one sets no bound.
type Budgets struct {
	Account []latchkey.Budget // first factors of one account at one provider
	Code    []latchkey.Budget // second factors of one account
	Address []latchkey.Budget // tries from one address of a hosted page
}

// DefaultBudgets returns 5 tries of an account in 15 minutes and 20 a day, 10
// second factors an hour, and 50 tries from an address in 15 minutes.
func DefaultBudgets() Budgets {
	return Budgets{
		Account: []latchkey.Budget{{Tries: 5, Within: 15 * time.Minute}, {Tries: 20, Within: 24 * time.Hour}},
		Code:    []latchkey.Budget{{Tries: 10, Within: time.Hour}},
		Address: []latchkey.Budget{{Tries: 50, Within: 15 * time.Minute}},
	}
}

// complete fills in the defaults.
func (b Budgets) complete() Budgets {
	usual := DefaultBudgets()
	if b.Account == nil {
		b.Account = usual.Account
	}
	if b.Code == nil {
		b.Code = usual.Code
	}
	if b.Address == nil {
		b.Address = usual.Address
	}
	return b
}

// tried is a session whose input is being tried, with the tries that count
// until it turns out that it was right.
type tried struct {
	*latchkey.LinkSession
	taken []latchkey.Attempt
	claim *claim // that is not written yet; nil: it is
}

// takeFor returns what a submission counts against, and remembers in the
// session which account it is about.
func (l *Links) takeFor(claimed *latchkey.LinkSession, prompt latchkey.Prompt, submission Submission) []latchkey.Attempt {
	if submission.Action != latchkey.ActionContinue {
		return nil
	}
	var taken []latchkey.Attempt
	take := func(key string, budgets []latchkey.Budget) {
		if len(budgets) > 0 {
			taken = append(taken, latchkey.Attempt{Key: key, At: claimed.UpdatedAt, Budgets: budgets})
		}
	}
	switch claimed.Progress.Step {
	case latchkey.StateLogin:
		if account := l.account(claimed.Progress.Provider, prompt, submission.Fields); account != "" {
			claimed.Progress.Account = account // else, as where the password has a page of its own, the one before
		}
		if claimed.Progress.Account != "" {
			take("account:"+claimed.Progress.Account, l.budgets.Account)
		}
	case latchkey.StateTwoFactor:
		if claimed.Progress.Account != "" {
			take("code:"+claimed.Progress.Account, l.budgets.Code)
		}
	default:
		return nil
	}
	if submission.Seen.Address != "" {
		take("address:"+l.config.Sealer.Fingerprint("address", submission.Seen.Address), l.budgets.Address)
	}
	return taken
}

// account returns the keyed hash of the account that a login is for, or ""
// when the prompt asks for no name.
func (l *Links) account(provider string, prompt latchkey.Prompt, fields map[string]latchkey.Secret) string {
	for _, field := range prompt.Fields {
		if field.Name == "username" || field.Autocomplete == "username" || field.Autocomplete == "email" {
			if name := canonicalName(string(fields[field.Name].Reveal())); name != "" {
				return l.config.Sealer.Fingerprint("account", provider+"\x00"+name)
			}
		}
	}
	return ""
}

// canonicalName takes the differences out of a username by which one account
// could be tried under many names: width and composition (NFKC), case, white
// space, invisible characters, a handle's leading @, and of an address its +tag
// and the dot after its domain.
func canonicalName(name string) string {
	for range 2 { // what folding and taking out bring together may compose again
		name = strings.Map(visible, norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name))))
	}
	name = strings.TrimLeft(norm.NFKC.String(name), "@")
	local, domain, isAddress := strings.Cut(name, "@")
	if !isAddress || domain == "" {
		return name
	}
	if bare, _, _ := strings.Cut(local, "+"); bare != "" {
		local = bare
	}
	return local + "@" + strings.TrimRight(domain, ".")
}

// visible drops what can't be seen, so that names that look the same are the
// same: spaces, controls, and what Unicode lets programs ignore.
func visible(r rune) rune {
	if !unicode.IsGraphic(r) || unicode.IsSpace(r) ||
		unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
		return -1
	}
	return r
}

// wasWrong reports whether the provider judged an input and refused it. What it
// could not judge, or accepted, does not count against the account.
func wasWrong(step connector.Step, failure *connector.Failure) bool {
	if failure != nil {
		switch failure.Code {
		case latchkey.FailureProviderUnavailable, latchkey.FailureAccessDenied:
			return false
		}
		return true
	}
	prompt, ok := step.(connector.Prompt)
	return ok && prompt.Refused != "" && prompt.Refused != latchkey.FailureProviderUnavailable
}
