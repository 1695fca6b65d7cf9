package app

import (
	"fmt"

	"latchkey/internal/webhook"
)

// Webhooks says how fast endpoints are sent to.
type Webhooks struct {
	Rate int `yaml:"rate"` // deliveries to one endpoint in a second, unless that has a rate of its own; default 100
}

func (w Webhooks) check() error {
	if w.Rate < 0 || w.Rate > webhook.MaxRate {
		return fmt.Errorf("webhooks.rate must be a number from 1 to %d", webhook.MaxRate)
	}
	return nil
}
