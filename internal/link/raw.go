package link

import (
	"context"

	"latchkey"
)

// RawSession returns the credential that a completed session brought, a JSON
// object, to an app whose operator allows it now and which asked for it at
// init; nil otherwise, and when the session's own time is over.
func (l *Links) RawSession(ctx context.Context, caller latchkey.Caller, session *latchkey.LinkSession) ([]byte, error) {
	if !session.Request.ReturnRaw || session.State != latchkey.StateCompleted || !l.config.Now().Before(session.ExpiresAt) {
		return nil, nil
	}
	app, err := l.App(ctx, session)
	if err != nil {
		if latchkey.CodeOf(err) == latchkey.NotFound {
			return nil, nil
		}
		return nil, err
	}
	if !app.RawSessionEnabled || app.Suspended {
		return nil, nil
	}
	raw, err := l.config.Export(ctx, caller, session.Progress.ConnectionID)
	switch latchkey.CodeOf(err) {
	case latchkey.SessionExpired, latchkey.SessionNotProvided, latchkey.Forbidden: // there is none any more
		return nil, nil
	}
	return raw, err
}
