package latchkey

import "time"

// EventType names what happened.
type EventType string

// The types of events.
const (
	EventConnectionCreated      EventType = "connection.created"
	EventConnectionUpdated      EventType = "connection.updated"
	EventConnectionExpiring     EventType = "connection.expiring"
	EventConnectionExpired      EventType = "connection.expired"
	EventConnectionDisconnected EventType = "connection.disconnected"
	EventSessionCompleted       EventType = "link.session.completed"
	EventSessionCancelled       EventType = "link.session.cancelled"
	EventSessionFailed          EventType = "link.session.failed"
	EventSessionExpired         EventType = "link.session.expired"
)

// EventTypes lists every type, for filters.
func EventTypes() []EventType {
	return []EventType{
		EventConnectionCreated, EventConnectionUpdated, EventConnectionExpiring, EventConnectionExpired, EventConnectionDisconnected,
		EventSessionCompleted, EventSessionCancelled, EventSessionFailed, EventSessionExpired,
	}
}

// Event is something that happened to one subject, in that subject's order. It
// is committed with the fact that it tells, and delivered at least once.
type Event struct {
	ID             string // evt_…
	OrganisationID string
	Environment    Environment
	Type           EventType
	Subject        string // the connection or session it happened to; deliveries keep order within it
	Sequence       int64  // within the subject, growing
	Body           []byte // the JSON that is signed and sent, the same at every attempt
	CreatedAt      time.Time
}

// WebhookEndpoint is where an organisation wants to be told.
type WebhookEndpoint struct {
	ID             string // we_…
	OrganisationID string
	Environment    Environment
	URL            string
	Events         []string // event types, or "*"
	Description    string
	Status         EndpointStatus
	SealedSecret   []byte    // the whsec_… secret, sealed
	PreviousSecret []byte    // the one before the last rotation, sealed; nil: none
	PreviousUntil  time.Time // until when that one signs too
	RateLimit      int       // deliveries in a second at most; 0: the server's default
	CreatedAt      time.Time
}

// EndpointChange is what an operator changes of a webhook endpoint; what is nil
// or empty stays.
type EndpointChange struct {
	OrganisationID string
	Environment    Environment
	ID             string
	URL            *string
	Events         []string
	Description    *string
	RateLimit      *int
	Status         EndpointStatus // enabled or disabled
	At             time.Time      // when what waited is due, if this enables the endpoint
}

// SecretRotation puts a new signing secret in place of an endpoint's, which
// signs too for a while.
type SecretRotation struct {
	OrganisationID string
	Environment    Environment
	EndpointID     string
	SealedSecret   []byte
	PreviousUntil  time.Time // until when the replaced one signs
}

// EndpointStatus says whether an endpoint is sent to.
type EndpointStatus string

// The statuses of a webhook endpoint.
const (
	EndpointEnabled  EndpointStatus = "enabled"
	EndpointDisabled EndpointStatus = "disabled" // by the operator, or by its own 410
	EndpointParked   EndpointStatus = "parked"   // failed for days; its queue is kept
)

// Delivery is one event on its way to one endpoint, claimed under a lease.
type Delivery struct {
	Endpoint  WebhookEndpoint
	EventID   string
	EventType EventType
	Subject   string
	Sequence  int64
	Body      []byte
	Attempt   int   // this attempt, from 1
	Fence     int64 // grows at every claim; a finish with an older fence loses
}

// DeliveryState is how far a delivery has come.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending   DeliveryState = "pending"
	DeliveryDelivered DeliveryState = "delivered"
)

// DeliveryRecord is what is remembered of one event's way to one endpoint.
type DeliveryRecord struct {
	EventID       string
	EventType     EventType
	Subject       string
	State         DeliveryState
	Attempts      int
	LastStatus    int       // HTTP status of the last attempt; 0: there was no answer, or no attempt
	Excerpt       string    // of the last answer or error, bounded
	NextAttemptAt time.Time // zero: none is planned
	UpdatedAt     time.Time
}

// DeliveryFilter narrows the deliveries of an endpoint; an empty state does not
// narrow.
type DeliveryFilter struct {
	OrganisationID string
	Environment    Environment
	EndpointID     string
	State          DeliveryState
	Limit, Offset  int
}

// Replay asks that events be delivered to an endpoint once more: those that are
// named or, when none is, all after one cursor and up to another.
type Replay struct {
	OrganisationID string
	Environment    Environment
	EndpointID     string
	After          int64    // a cursor of the event log; 0: from the oldest kept
	Until          int64    // the cursor of the last; 0: to the newest
	EventIDs       []string // evt_…
	At             time.Time
}

// EventPage is a piece of the event log.
type EventPage struct {
	Events []Event
	Cursor int64 // where the page ended
	More   bool  // there are events after it
}

// DeliveryOutcome is how an attempt ended and what follows.
type DeliveryOutcome struct {
	Delivered bool
	Status    int       // HTTP status; 0 when there was no answer
	Excerpt   string    // of the answer's body or the error, bounded
	RetryAt   time.Time // when not delivered; zero: no more attempts, the queue is parked
	Disable   bool      // the endpoint asked never to be called again
	At        time.Time
}
