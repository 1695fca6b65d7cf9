package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// deliveryPatience bounds the wait for a queue to be delivered.
const deliveryPatience = 5 * time.Minute

// receivers is how many endpoints are delivered to: each has a rate and a share
// of the attempts of its own.
const receivers = 16

// fastest is the highest rate that an endpoint may have.
const fastest = 1000

// runDeliveries queues every event of the target for new endpoints, which are
// held meanwhile, lets them go, and waits until the upstream has received all.
// It returns deliveries a second.
func runDeliveries(ctx context.Context, t *target, upstream string) (measured, error) {
	var endpoints []string
	count := 0
	for range receivers {
		var endpoint struct {
			ID string `json:"id"`
		}
		err := t.backend.call(ctx, http.MethodPost, "/v2/webhook-endpoints",
			map[string]any{"url": upstream + "/webhooks", "events": []string{"*"}, "rateLimit": fastest}, &endpoint)
		if err != nil {
			return measured{}, err
		}
		path := "/v2/webhook-endpoints/" + endpoint.ID
		if err := t.backend.call(ctx, http.MethodPatch, path, map[string]any{"status": "disabled"}, nil); err != nil {
			return measured{}, err
		}
		var queued struct {
			Queued int `json:"queued"`
		}
		if err := t.backend.call(ctx, http.MethodPost, path+"/replay", map[string]any{"after": "0"}, &queued); err != nil {
			return measured{}, err
		}
		endpoints, count = append(endpoints, path), count+queued.Queued
	}
	before, err := received(ctx, upstream)
	if err != nil {
		return measured{}, err
	}
	started := time.Now()
	for _, path := range endpoints {
		if err := t.backend.call(ctx, http.MethodPatch, path, map[string]any{"status": "enabled"}, nil); err != nil {
			return measured{}, err
		}
	}
	if err := await(ctx, upstream, before+count); err != nil {
		return measured{}, err
	}
	took := time.Since(started)
	for _, path := range endpoints {
		if err := t.backend.call(ctx, http.MethodDelete, path, nil, nil); err != nil {
			return measured{}, err
		}
	}
	return measured{PerSecond: float64(count) / took.Seconds(), Count: count}, nil
}

// await waits until the upstream has received so many.
func await(ctx context.Context, upstream string, count int) error {
	deadline, looks := time.After(deliveryPatience), time.NewTicker(10*time.Millisecond)
	defer looks.Stop()
	for {
		now, err := received(ctx, upstream)
		if err != nil || now >= count {
			return err
		}
		select {
		case <-looks.C:
		case <-deadline:
			return fmt.Errorf("%d webhooks did not come", count-now)
		}
	}
}

// runBareDeliveries is the same by the bare loop.
func runBareDeliveries(ctx context.Context, baseline *child, upstream string, count, size int) (measured, error) {
	url := baseline.url + "/deliver?count=" + strconv.Itoa(count) + "&to=" + upstream + "/webhooks"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(strings.Repeat("a", size)))
	if err != nil {
		return measured{}, fmt.Errorf("bare deliveries: %w", err)
	}
	text, err := do(request)
	if err != nil {
		return measured{}, err
	}
	nanoseconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return measured{}, fmt.Errorf("bare deliveries: %w", err)
	}
	return measured{PerSecond: float64(count) / time.Duration(nanoseconds).Seconds(), Count: count}, nil
}

// received asks the upstream how many webhooks came.
func received(ctx context.Context, upstream string) (int, error) {
	request, err := newGet(ctx, upstream+"/received")
	if err != nil {
		return 0, err
	}
	text, err := do(request)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// newGet prepares a question to one of our own processes.
func newGet(ctx context.Context, url string) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", url, err)
	}
	return request, nil
}

// plainClient asks our own processes.
var plainClient = &http.Client{Transport: &http.Transport{}}

// do returns the text of an answer of status 200.
func do(request *http.Request) (string, error) {
	answer, err := plainClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", request.URL.Path, err)
	}
	text, err := io.ReadAll(answer.Body)
	if err = cmpErr(err, answer.Body.Close()); err != nil {
		return "", fmt.Errorf("ask %s: %w", request.URL.Path, err)
	}
	if answer.StatusCode != http.StatusOK {
		return "", errors.New(request.URL.Path + " is answered " + string(text))
	}
	return string(text), nil
}
