package link

import (
	"context"

	"latchkey"
)

// ConnectionChange is what an app may set of a connection; nil fields stay.
type ConnectionChange struct {
	PerMinute *int // tokens that come back in a minute, 1 to 6000
	Burst     *int // tokens that can be saved up, 1 to 6000
	Metadata  map[string]string
}

// maxRate bounds both parts of a connection's rate limit.
const maxRate = 6000

// Configure changes what an app may set of one of the caller's connections.
func (l *Links) Configure(ctx context.Context, caller latchkey.Caller, id string, change ConnectionChange,
) (latchkey.Connection, error) {
	for name, value := range map[string]*int{"rateLimit.perMinute": change.PerMinute, "rateLimit.burst": change.Burst} {
		if value != nil && (*value < 1 || *value > maxRate) {
			return latchkey.Connection{}, latchkey.InvalidField(name, "must be 1 to 6000")
		}
	}
	if err := validateMetadata(InitRequest{Metadata: change.Metadata}); err != nil {
		return latchkey.Connection{}, err
	}
	for range twinRounds {
		connection, err := l.Connection(ctx, caller, id)
		if err != nil {
			return connection, err
		}
		if change.PerMinute != nil {
			connection.RateLimit.PerMinute = *change.PerMinute
		}
		if change.Burst != nil {
			connection.RateLimit.Burst = *change.Burst
		}
		if change.Metadata != nil {
			connection.Metadata = change.Metadata
		}
		connection.Version++
		connection.UpdatedAt = l.config.Now()
		err = l.config.Connections.UpdateConnection(ctx, connection)
		if latchkey.CodeOf(err) != latchkey.Conflict {
			return connection, err
		}
	}
	return latchkey.Connection{}, latchkey.Errorf(latchkey.Conflict, "the connection is being changed; try again")
}
