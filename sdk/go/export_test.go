package latchkey

import (
	"context"
	"time"
)

// SetWait lets a test see how long the client would wait, without waiting.
func (c *Client) SetWait(wait func(context.Context, time.Duration) error) { c.wait = wait }

// WaitFor is how a client waits.
var WaitFor = waitFor

// ErrorBody is an error on the wire.
type ErrorBody = errorBody
