package latchkey

import "time"

// DueEndpoint is a webhook endpoint that something is due for.
type DueEndpoint struct {
	ID         string
	RateLimit  int       // as the endpoint has it
	PacedUntil time.Time // how far its rate is used up; zero: not at all
}

// DeliveryShare says how much a claim may take of one endpoint.
type DeliveryShare struct {
	EndpointID string
	Most       int // deliveries

	// PacedUntil is as it was read: when it is another by now, somebody else has
	// claimed meanwhile, and nothing of the endpoint is taken.
	PacedUntil time.Time
	From       time.Time     // from when what is taken uses up the rate
	Interval   time.Duration // that one delivery uses up; zero: the endpoint has no rate
}
