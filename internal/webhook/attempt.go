package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"latchkey"
)

const (
	attemptTimeout = 10 * time.Second // at most, from opening the secret to the last byte of the answer
	maxAnswer      = 64 << 10         // bytes of an answer's body that are read
	maxExcerpt     = 1 << 10          // bytes of it that are kept
	userAgent      = "Latchkey-Webhooks/1"
)

// errOurFault is wrapped by what kept an attempt from being made at all.
var errOurFault = errors.New("attempt not made")

// answer is what came back, as far as it came.
type answer struct {
	status     int // 0: nothing came
	excerpt    string
	retryAfter time.Duration
}

// attempt posts once and decides what follows.
func (d *Deliverer) attempt(ctx context.Context, delivery latchkey.Delivery) latchkey.DeliveryOutcome {
	answer, err := d.post(ctx, delivery)
	outcome := latchkey.DeliveryOutcome{Status: answer.status, Excerpt: answer.excerpt, At: d.config.Now()}
	success := answer.status >= 200 && answer.status <= 299
	switch {
	case success && err == nil:
		outcome.Delivered = true
	case answer.status == http.StatusGone:
		outcome.Disable = true
	case err != nil && ctx.Err() != nil: // shutdown: another replica may go on at once
		outcome.Excerpt = "interrupted by a shutdown of the sender"
		outcome.RetryAt = outcome.At
	case errors.Is(err, errOurFault):
		d.logger(delivery).ErrorContext(ctx, "webhook attempt not made", "error", err)
		outcome.Excerpt = "the sender could not make the attempt"
		outcome.RetryAt = d.schedule.again(delivery.Attempt, outcome.At)
	default:
		if err != nil && (success || answer.status == 0) {
			outcome.Excerpt = describe(err)
		}
		outcome.RetryAt = d.schedule.next(delivery.Attempt, outcome.At, answer.retryAfter)
	}
	return outcome
}

// patience is how long an attempt may take: no longer than the client's Timeout,
// which the transport itself knows nothing of.
func (d *Deliverer) patience() time.Duration {
	if d.client.Timeout > 0 {
		return min(d.client.Timeout, attemptTimeout)
	}
	return attemptTimeout
}

// post sends the signed event and reads the answer, as long as patience lasts. The
// answer tells how far it came also beside an error: a receiver that breaks off
// in the middle has not answered, and it is safer to send twice than not at all.
func (d *Deliverer) post(ctx context.Context, delivery latchkey.Delivery) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, d.patience())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, delivery.Endpoint.URL, bytes.NewReader(delivery.Body))
	if err != nil { // its text repeats the URL
		return answer{}, fmt.Errorf("%w: malformed endpoint URL", errOurFault)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Accept-Encoding", "identity") // the excerpt is for people
	if err := d.sign(ctx, request.Header, delivery); err != nil {
		return answer{}, fmt.Errorf("%w: %w", errOurFault, err)
	}
	response, err := d.send(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	got := answer{status: response.StatusCode}
	if got.status == http.StatusTooManyRequests || got.status == http.StatusServiceUnavailable {
		got.retryAfter = retryAfter(response.Header.Get("Retry-After"), d.config.Now())
	}
	if got.status < 200 { // 101: there is no body, but a connection that heeds no deadline
		return got, nil
	}
	got.excerpt, err = readExcerpt(response.Body)
	return got, err
}

// send sends the request. A client's own business, redirects and cookies, is
// none of ours, but for the credentials of a URL that has some.
func (d *Deliverer) send(request *http.Request) (*http.Response, error) {
	if request.URL.User != nil || d.client.Transport == nil {
		return d.client.Do(request)
	}
	return d.client.Transport.RoundTrip(request)
}

// sign opens the endpoint's secrets for as long as it takes to sign.
func (d *Deliverer) sign(ctx context.Context, header http.Header, delivery latchkey.Delivery) error {
	secrets, err := d.config.OpenSecret(ctx, delivery.Endpoint)
	defer func() {
		for _, secret := range secrets {
			secret.Zero()
		}
	}()
	if err != nil {
		return fmt.Errorf("open secret of endpoint %s: %w", delivery.Endpoint.ID, err)
	}
	return Sign(header, delivery.EventID, d.config.Now(), delivery.Body, secrets...)
}
