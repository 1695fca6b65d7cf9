package sandbox

import (
	"slices"

	"latchkey/internal/connector"
)

// The password and the code that every scenario accepts. They are public.
const (
	goodPassword = "good-password"
	goodCode     = "123456"
)

// accountType is which side of the provider a person is on.
type accountType string

// The account types.
const (
	creator accountType = "creator"
	fan     accountType = "fan"
)

// behaviour is what a scenario does, named as in the address.
type behaviour string

// The behaviours.
const (
	plain    behaviour = "" // creator and fan: it simply works
	phone    behaviour = "phone"
	locked   behaviour = "locked"
	push     behaviour = "push"
	face     behaviour = "face"
	slow     behaviour = "slow"
	down     behaviour = "down"
	flaky    behaviour = "flaky"
	expiring behaviour = "expiring"
)

// behaviours lists those an address can name before its first dash.
func behaviours() []behaviour {
	return []behaviour{phone, locked, push, face, slow, down, flaky, expiring}
}

// Scenario is something the sandbox can act out. The ID is the part of the
// address between "@" and ".sandbox.com".
type Scenario = connector.Scenario

// scenarios is the table of the documentation, in its order.
var scenarios = []Scenario{
	{ID: "creator", AccountType: "creator", Outcome: "Linked, as a creator."},
	{ID: "fan", AccountType: "fan", Outcome: "Linked, as a fan."},
	{ID: "creator-otp", AccountType: "creator", LoginType: "app_otp", OTPCode: goodCode, Outcome: "A code of an authenticator app is asked for, then linked."},
	{ID: "fan-otp", AccountType: "fan", LoginType: "app_otp", OTPCode: goodCode, Outcome: "The same, as a fan."},
	{ID: "phone", OTPCode: goodCode, Outcome: "A code is sent by SMS: three requests, three checks, five minutes."},
	{ID: "phone-otp", LoginType: "app_otp", OTPCode: goodCode, Outcome: "A choice between the SMS code and the app's code."},
	{ID: "locked", Outcome: "The login ends with `account_locked`."},
	{ID: "push", Outcome: "Approved on another device after two seconds."},
	{ID: "face", Outcome: "A face check, passed at the first look."},
	{ID: "slow", Outcome: "Each answer takes five seconds, then linked."},
	{ID: "down", Outcome: "The provider can't be reached: `provider_unavailable`."},
	{ID: "flaky", Outcome: "The first try is refused with `provider_unavailable`, the second one works."},
	{ID: "expiring", Outcome: "Linked; the credential dies 60 seconds later and can't be renewed."},
}

// Scenarios returns what the sandbox can act out, in the order of its page.
func Scenarios() []Scenario {
	list := slices.Clone(scenarios)
	for i := range list {
		s := &list[i]
		s.Password = goodPassword
		s.Address = "jo@" + s.ID + "." + domain
		if s.AccountType == "" {
			s.AccountType = string(creator)
		}
		if s.LoginType == "" {
			s.LoginType = "password"
		}
	}
	return list
}

// Scenarios returns what the sandbox can act out.
func (*Connector) Scenarios() []connector.Scenario { return Scenarios() }
