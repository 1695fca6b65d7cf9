package link

import (
	"latchkey"
	"latchkey/internal/connector"
)

// checkPlace refuses a place from which nobody can ever go out. In the sandbox
// it is only recorded.
func (l *Links) checkPlace(caller latchkey.Caller, granted latchkey.SessionRequest) error {
	place := granted.Geolocation
	if l.config.Exits == nil || place == nil || caller.Environment == latchkey.Sandbox || l.config.Exits.Serves(place.Country) {
		return nil
	}
	return latchkey.InvalidField("geolocation.country", "is a country without a way out here (location_unavailable)")
}

// locate notes where the person is, when the login begins and init named no
// place.
func (l *Links) locate(claimed *latchkey.LinkSession, seen Witness) {
	if l.config.Exits == nil || claimed.Environment == latchkey.Sandbox || claimed.Place() != nil || seen.Address == "" {
		return
	}
	claimed.Progress.Place = l.config.Exits.Locate(seen.Address)
}

// leave notes the exit that the session takes. Without one the login is over.
func (l *Links) leave(claimed *latchkey.LinkSession) error {
	if l.config.Exits == nil || claimed.Environment == latchkey.Sandbox {
		return nil
	}
	exit, err := l.config.Exits.Choose(claimed)
	if err != nil {
		return &connector.Failure{Code: latchkey.FailureLocationUnavailable, Reason: err.Error()}
	}
	claimed.Progress.Exit = exit
	return nil
}
