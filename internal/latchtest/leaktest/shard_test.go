package leaktest_test

import (
	"context"
	"fmt"

	"latchkey/internal/connector"
)

// shard is a provider whose code is broken: it panics with what it was given.
type shard struct{ connector.Connector }

// Describe returns another name.
func (s shard) Describe() connector.Description {
	description := s.Connector.Describe()
	description.ID = "shard"
	return description
}

// Advance asks, and panics when it is answered.
func (s shard) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	if flow.State == nil {
		return s.Connector.Advance(ctx, flow, input)
	}
	panic(fmt.Sprintf("broken with %s", input.Fields["password"].Reveal()))
}
