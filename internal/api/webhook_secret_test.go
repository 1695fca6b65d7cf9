package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"latchkey"
	"latchkey/internal/latchtest"
)

// rotate gives an endpoint a new secret.
func (h house) rotate(e endpoint) string {
	h.Helper()
	rotated := latchtest.Decode[endpoint](h.Server, h.Want(http.StatusOK, "POST", e.path("rotate-secret"), nil))
	if rotated.ID != e.ID || rotated.URL != e.URL || rotated.CreatedAt != e.CreatedAt {
		h.Errorf("it came back as %+v", rotated)
	}
	return rotated.Secret
}

// signedBy checks the sink's n-th webhook: these secrets have signed it, the
// newest first, and no other.
func (h house) signedBy(sink *latchtest.Sink, n int, all []string, wanted ...string) {
	h.Helper()
	hook := h.hooks(sink, n)[n-1]
	signatures := strings.Fields(hook.Header.Get("webhook-signature"))
	if len(signatures) != len(wanted) || strings.Count(hook.Header.Get("OFAuth-Signature"), ",v1=") != len(wanted) {
		h.Errorf("webhook %d has the signatures %q and %q, want %d", n, signatures, hook.Header.Get("OFAuth-Signature"), len(wanted))
	}
	for i, secret := range all {
		library, err := webhooks.NewWebhook(secret)
		if err != nil {
			h.Fatal(err)
		}
		accepts := library.VerifyIgnoringTimestamp(hook.Body, hook.Header) == nil // the clock is the test's
		should := false
		for place, one := range wanted {
			if one != secret {
				continue
			}
			should = true
			alone := hook.Header.Clone()
			alone.Set("webhook-signature", signatures[min(place, len(signatures)-1)])
			if library.VerifyIgnoringTimestamp(hook.Body, alone) != nil {
				h.Errorf("webhook %d: signature %d is not that of secret %d", n, place+1, i+1)
			}
		}
		if accepts != should {
			h.Errorf("webhook %d: who knows secret %d accepts it: %v, want %v", n, i+1, accepts, should)
		}
	}
}

func TestDuringARotationBothSecretsSign(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		h := newHouse(t, options)
		sink := latchtest.NewSink(t)
		e := h.listen(sink, "connection.created")
		first := e.Secret
		h.linked("u1")
		h.signedBy(sink, 1, []string{first}, first)

		second := h.rotate(e)
		h.linked("u2")
		h.signedBy(sink, 2, []string{first, second}, second, first)

		h.Clock.Move(23 * time.Hour)
		third := h.rotate(e) // within the day: the first is forgotten
		all := []string{first, second, third}
		if first == second || second == third || first == third {
			t.Fatal("a secret came again")
		}
		h.linked("u3")
		h.signedBy(sink, 3, all, third, second)

		h.Clock.Move(24*time.Hour - time.Minute)
		h.linked("u4")
		h.signedBy(sink, 4, all, third, second)

		h.Clock.Move(time.Minute)
		h.linked("u5")
		h.signedBy(sink, 5, all, third)

		h.recorded(e, `created {"fields":["url","events","description"]}`,
			`secret_rotated {"fields":["secret"]}`, `secret_rotated {"fields":["secret"]}`)
		list := string(h.Want(http.StatusOK, "GET", "/v2/webhook-endpoints", nil).Body)
		for _, secret := range all {
			if strings.Contains(h.Log.Text()+list, secret) {
				t.Error("a secret is in the log or in a later answer")
			}
		}
		for _, id := range []string{"we_unknown", "x", canary} {
			h.refused(h.Call("POST", "/v2/webhook-endpoints/"+id+"/rotate-secret", nil), http.StatusNotFound, latchkey.NotFound)
		}
	})
}
