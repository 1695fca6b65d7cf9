package link

import (
	"context"

	"latchkey"
	"latchkey/internal/connector"
)

// Expiry says why a connection has ended, or will, and what can be done.
type Expiry struct {
	Reason    string `json:"reason"`    // session_expired, revoked, password_changed, provider_blocked or invalidated
	CanReauth bool   `json:"canReauth"` // whether the person can link it anew
	// ReconnectURL is where the person can do that, if the app has pages.
	ReconnectURL string `json:"reconnectUrl,omitzero"`
}

// Expiries returns a function that tells how connections have expired, nil for
// those that have not. It looks at each client app once.
func (l *Links) Expiries() func(ctx context.Context, connection latchkey.Connection) (*Expiry, error) {
	apps := map[string]latchkey.ClientApp{}
	return func(ctx context.Context, connection latchkey.Connection) (*Expiry, error) {
		if connection.ExpiryReason == "" {
			return nil, nil
		}
		expiry := &Expiry{Reason: connection.ExpiryReason, CanReauth: connection.ExpiryReason != connector.DeadBlocked}
		if !expiry.CanReauth {
			return expiry, nil
		}
		app, known := apps[connection.ClientAppID]
		if !known {
			var err error
			app, err = l.apps.ClientApp(ctx, connection.OrganisationID, connection.Environment, connection.ClientAppID)
			if err != nil && latchkey.CodeOf(err) != latchkey.NotFound {
				return nil, err
			}
			apps[connection.ClientAppID] = app
		}
		expiry.ReconnectURL = l.reconnectURL(connection, app)
		return expiry, nil
	}
}

// WarnExpiring tells the apps of up to limit connections, once each, that they
// are about to end, and returns how many there were.
func (l *Links) WarnExpiring(ctx context.Context, limit int) (int, error) {
	due, err := l.config.Checks.ExpiringConnections(ctx, l.config.Now(), limit)
	if err != nil {
		return 0, err
	}
	expiryOf := l.Expiries()
	for _, expiring := range due {
		warned := expiring.Connection
		warned.Version++
		warned.EventSequence++
		ending := warned
		ending.ExpiryReason = connector.DeadSession
		expiry, err := expiryOf(ctx, ending)
		if err != nil {
			return 0, err
		}
		event, err := l.expiringEvent(warned, expiring.EndsAt, expiry)
		if err != nil {
			return 0, err
		}
		err = l.config.Checks.WarnConnection(ctx, warned, event)
		if err != nil && latchkey.CodeOf(err) != latchkey.Conflict { // another replica, or it changed: looked at again
			return 0, err
		}
	}
	return len(due), nil
}

// planned is a new credential as it is kept: sealed, with when it ends, when the
// app is warned of that, and when the provider is first asked about it.
func (l *Links) planned(connection latchkey.Connection, sealed []byte, credential connector.Credential,
) latchkey.SealedCredential {
	planned := latchkey.SealedCredential{Bytes: sealed, ExpiresAt: credential.ExpiresAt}
	provider, ok := l.config.Connector(connection.Provider)
	if !ok {
		return planned
	}
	now := l.config.Now()
	planned.EndsAt = connector.EndOf(provider, credential)
	planned.WarnAt = connector.WarningAt(now, planned.EndsAt)
	planned.CheckAt = planned.EndsAt // where the provider can't be asked; then it is expired
	if _, ok := provider.(connector.Checker); ok {
		next := now.Add(l.jittered(provider.Describe().CheckInterval()))
		if planned.EndsAt.IsZero() || next.Before(planned.EndsAt) {
			planned.CheckAt = next
		}
	}
	return planned
}
