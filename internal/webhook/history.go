package webhook

import (
	"context"
	"slices"
	"strconv"

	"latchkey"
)

// maxReplay bounds how many events one call may name.
const maxReplay = 100

// HistoryStore remembers what was delivered, and queues it again.
type HistoryStore interface {
	// Deliveries returns an endpoint's deliveries, the last queued first, and
	// whether there are more.
	Deliveries(ctx context.Context, filter latchkey.DeliveryFilter) ([]latchkey.DeliveryRecord, bool, error)

	// ReplayDeliveries queues events once more and returns how many, and not
	// found when the endpoint or a named event is not there. The record is kept
	// when the endpoint gets enabled by it.
	ReplayDeliveries(ctx context.Context, replay latchkey.Replay, record latchkey.AuditRecord) (int64, error)
}

// Deliveries lists what is remembered of the deliveries to one of the caller's
// endpoints, the last queued first, and whether there is more.
func (e *Endpoints) Deliveries(ctx context.Context, caller latchkey.Caller, filter latchkey.DeliveryFilter,
) ([]latchkey.DeliveryRecord, bool, error) {
	states := []latchkey.DeliveryState{"", latchkey.DeliveryPending, latchkey.DeliveryDelivered}
	if !slices.Contains(states, filter.State) {
		return nil, false, latchkey.InvalidField("state", "must be pending or delivered")
	}
	if _, err := e.Get(ctx, caller, filter.EndpointID); err != nil {
		return nil, false, err
	}
	filter.OrganisationID, filter.Environment = caller.OrganisationID, caller.Environment
	return e.config.History.Deliveries(ctx, filter)
}

// ReplayRequest says what is to be delivered once more: what comes after a
// cursor of the event log, or what is named, and not both.
type ReplayRequest struct {
	After    *string  // all that comes after it
	Until    *string  // beside After: the cursor of the last
	EventIDs []string // up to 100
}

// Replay queues events for one of the caller's endpoints once more, as far as
// its filter wants them, also such as it was never sent; it returns how many. A
// parked endpoint is enabled by it.
func (e *Endpoints) Replay(ctx context.Context, caller latchkey.Caller, id string, asked ReplayRequest) (int64, error) {
	replay := latchkey.Replay{
		OrganisationID: caller.OrganisationID, Environment: caller.Environment, EndpointID: id, At: e.config.Now(),
	}
	switch {
	case (asked.After == nil) == (asked.EventIDs == nil):
		return 0, latchkey.InvalidField("after", "or eventIds must be given, and not both")
	case asked.After != nil:
		var err error
		if replay.After, err = parseCursor("after", *asked.After); err != nil {
			return 0, err
		}
		if asked.Until == nil {
			break
		}
		if replay.Until, err = parseCursor("until", *asked.Until); err != nil {
			return 0, err
		}
		if replay.Until == 0 {
			return 0, latchkey.InvalidField("until", "must be the cursor of an event that is kept")
		}
	case asked.Until != nil:
		return 0, latchkey.InvalidField("until", "is only for what comes after a cursor")
	case len(asked.EventIDs) == 0 || len(asked.EventIDs) > maxReplay:
		return 0, latchkey.InvalidField("eventIds", "must name 1 to 100 events")
	default:
		replay.EventIDs = slices.Clone(asked.EventIDs)
		slices.Sort(replay.EventIDs)
		replay.EventIDs = slices.Compact(replay.EventIDs)
	}
	if !latchkey.ValidID(id, latchkey.PrefixWebhookEndpoint) {
		return 0, errNoEndpoint
	}
	for _, event := range replay.EventIDs {
		if !latchkey.ValidID(event, latchkey.PrefixEvent) {
			return 0, latchkey.Errorf(latchkey.NotFound, "no such event")
		}
	}
	return e.config.History.ReplayDeliveries(ctx, replay,
		e.record(caller, id, latchkey.AuditEndpointUpdated, "status"))
}

// parseCursor reads the field's place in the event log: digits, below 2^63.
func parseCursor(field, text string) (int64, error) {
	cursor, err := strconv.ParseInt(text, 10, 64)
	if err != nil || !digits(text) {
		return 0, latchkey.InvalidField(field, "must be a cursor that was given out, or 0")
	}
	return cursor, nil
}
