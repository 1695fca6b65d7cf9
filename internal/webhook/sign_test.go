package webhook

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"latchkey"
)

// headerOf signs and returns the header, or fails the test.
func headerOf(t testing.TB, id string, at time.Time, body []byte, secrets ...latchkey.Secret) http.Header {
	t.Helper()
	header := http.Header{}
	if err := Sign(header, id, at, body, secrets...); err != nil {
		t.Fatalf("sign: %v", err)
	}
	return header
}

// accepts reports whether the reference library accepts the message, read from
// the headers with the given prefix.
func accepts(t testing.TB, secret latchkey.Secret, prefix string, header http.Header, body []byte) bool {
	t.Helper()
	library, err := standardwebhooks.NewWebhook(string(secret.Reveal()))
	if err != nil {
		t.Fatalf("reference library refuses the secret: %v", err)
	}
	asStandard := http.Header{}
	for _, name := range []string{"Id", "Timestamp", "Signature"} {
		asStandard.Set("Webhook-"+name, header.Get(prefix+name))
	}
	return library.Verify(body, asStandard) == nil
}

// acceptsOFAuth checks OFAuth-Signature as its documentation tells receivers to.
func acceptsOFAuth(secret latchkey.Secret, header http.Header, body []byte) bool {
	fields := strings.Split(header.Get("OFAuth-Signature"), ",")
	seconds, found := strings.CutPrefix(fields[0], "t=")
	if !found {
		return false
	}
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || time.Since(time.Unix(unix, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, secret.Reveal())
	fmt.Fprintf(mac, "%s.%s", seconds, body)
	want := "v1=" + hex.EncodeToString(mac.Sum(nil))
	return slices.Contains(fields[1:], want)
}

func secretOf(size int) latchkey.Secret {
	return latchkey.NewSecret([]byte("whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, size))))
}

func TestSign(t *testing.T) {
	t.Run("the vector of the Standard Webhooks specification", func(t *testing.T) {
		secret := latchkey.NewSecret([]byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
		header := headerOf(t, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`), secret)
		const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
		for _, name := range []string{"webhook-signature", "svix-signature"} {
			if got := header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})

	t.Run("exactly the seven headers are set, and old ones replaced", func(t *testing.T) {
		header := http.Header{"Webhook-Id": {"old"}, "Ofauth-Signature": {"old", "older"}}
		secret := NewSecret(rand.Reader)
		if err := Sign(header, "evt_1", time.Unix(1700000000, 999), []byte("{}"), secret); err != nil {
			t.Fatal(err)
		}
		var names []string
		for name, values := range header {
			names = append(names, name)
			if len(values) != 1 {
				t.Errorf("%s has %d values", name, len(values))
			}
		}
		slices.Sort(names)
		want := []string{"Ofauth-Signature", "Svix-Id", "Svix-Signature", "Svix-Timestamp", "Webhook-Id", "Webhook-Signature", "Webhook-Timestamp"}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
		if header.Get("webhook-id") != "evt_1" || header.Get("webhook-timestamp") != "1700000000" {
			t.Errorf("id %q, timestamp %q", header.Get("webhook-id"), header.Get("webhook-timestamp"))
		}
	})

	t.Run("during a rotation either secret is enough, and a third is not", func(t *testing.T) {
		older, newer, other := NewSecret(rand.Reader), NewSecret(rand.Reader), NewSecret(rand.Reader)
		body := []byte(`{"id":"evt_1"}`)
		header := headerOf(t, "evt_1", time.Now(), body, newer, older)
		for _, secret := range []latchkey.Secret{older, newer} {
			if !accepts(t, secret, "Webhook-", header, body) || !accepts(t, secret, "Svix-", header, body) || !acceptsOFAuth(secret, header, body) {
				t.Error("a secret of the rotation is not accepted")
			}
		}
		if accepts(t, other, "Webhook-", header, body) || acceptsOFAuth(other, header, body) {
			t.Error("another endpoint's secret is accepted")
		}
		if n := strings.Count(header.Get("OFAuth-Signature"), "v1="); n != 2 {
			t.Errorf("%d signatures in OFAuth-Signature, want 2", n)
		}
	})

	t.Run("malformed secrets and ids sign nothing and are not repeated", func(t *testing.T) {
		good := secretOf(32)
		cases := []struct {
			name    string
			id      string
			secrets []latchkey.Secret
		}{
			{"no secret", "evt_1", nil},
			{"empty", "evt_1", []latchkey.Secret{{}}},
			{"zeroed", "evt_1", []latchkey.Secret{latchkey.NewSecret(make([]byte, 50))}},
			{"no prefix", "evt_1", []latchkey.Secret{latchkey.NewSecret([]byte("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))}},
			{"only a prefix", "evt_1", []latchkey.Secret{latchkey.NewSecret([]byte("whsec_"))}},
			{"no base64", "evt_1", []latchkey.Secret{latchkey.NewSecret([]byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2La!!!!"))}},
			{"23 bytes", "evt_1", []latchkey.Secret{secretOf(23)}},
			{"65 bytes", "evt_1", []latchkey.Secret{secretOf(65)}},
			{"a good one and a bad one", "evt_1", []latchkey.Secret{good, secretOf(3)}},
			{"empty id", "", []latchkey.Secret{good}},
			{"id with a full stop", "evt_1.1700000000", []latchkey.Secret{good}},
			{"id with a line end", "evt_1\r\nX: y", []latchkey.Secret{good}},
			{"endless id", strings.Repeat("e", 256), []latchkey.Secret{good}},
		}
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				header := http.Header{}
				err := Sign(header, c.id, time.Now(), []byte("{}"), c.secrets...)
				if err == nil || len(header) > 0 {
					t.Fatalf("error %v, headers %d; want an error and none", err, len(header))
				}
				for _, secret := range c.secrets {
					if text := string(secret.Reveal()); len(text) > 6 && strings.Contains(err.Error(), text[6:]) {
						t.Error("the error repeats the secret")
					}
				}
			})
		}
	})

	t.Run("keys of 24 to 64 bytes are good", func(t *testing.T) {
		for size := minKey; size <= maxKey; size++ {
			secret := secretOf(size)
			if header := headerOf(t, "evt_1", time.Now(), nil, secret); !accepts(t, secret, "Webhook-", header, nil) {
				t.Errorf("a key of %d bytes is not accepted", size)
			}
		}
	})
}

func TestNewSecret(t *testing.T) {
	t.Run("it is whsec_ and 32 random bytes, never the same", func(t *testing.T) {
		seen := map[string]bool{}
		for range 1000 {
			text := string(NewSecret(rand.Reader).Reveal())
			key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
			if err != nil || len(key) != 32 || !strings.HasPrefix(text, "whsec_") {
				t.Fatalf("%d bytes, %v", len(key), err)
			}
			seen[text] = true
		}
		if len(seen) != 1000 {
			t.Errorf("%d different secrets of 1000", len(seen))
		}
	})

	t.Run("without randomness it panics instead of making a weak one", func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("a secret was made of nothing")
			}
		}()
		NewSecret(iotest.ErrReader(fmt.Errorf("no entropy")))
	})
}

// message is a signed message as a receiver gets it.
type message struct {
	id, timestamp, signature, ofauth string
	body                             []byte
}

func (m message) header() http.Header {
	header := http.Header{}
	header.Set("Webhook-Id", m.id)
	header.Set("Webhook-Timestamp", m.timestamp)
	header.Set("Webhook-Signature", m.signature)
	header.Set("OFAuth-Signature", m.ofauth)
	return header
}

func messageOf(header http.Header, body []byte) message {
	return message{header.Get("Webhook-Id"), header.Get("Webhook-Timestamp"), header.Get("Webhook-Signature"), header.Get("OFAuth-Signature"), body}
}

func TestSignaturesVerify(t *testing.T) {
	const bodies = 10_000
	secret, other := NewSecret(rand.Reader), NewSecret(rand.Reader)
	mutations, accepted := 0, 0
	for range bodies {
		var dice [4]byte
		_, _ = rand.Read(dice[:])
		draw := binary.BigEndian.Uint32(dice[:])
		body := make([]byte, draw%600)
		_, _ = rand.Read(body)
		id := latchkey.NewID(rand.Reader, latchkey.PrefixEvent)
		header := headerOf(t, id, time.Now(), body, secret)
		if !accepts(t, secret, "Webhook-", header, body) || !accepts(t, secret, "Svix-", header, body) || !acceptsOFAuth(secret, header, body) {
			t.Fatalf("a good signature of a body of %d bytes is refused", len(body))
		}
		original := messageOf(header, body)
		old := headerOf(t, id, time.Now().Add(-6*time.Minute), body, secret)
		foreign := headerOf(t, id, time.Now(), body, other)
		for _, changed := range mutate(original, int(draw>>3), old, foreign) {
			mutations++
			if accepts(t, secret, "Webhook-", changed.header(), changed.body) ||
				changed.ofauth != "" && acceptsOFAuth(secret, changed.header(), changed.body) {
				accepted++
				t.Errorf("accepted: %+v instead of %+v", changed, original)
			}
		}
	}
	if mutations < 100_000 {
		t.Errorf("%d mutations, want 100,000", mutations)
	}
	fmt.Printf("RESULT W-8 %d 0\n", accepted)
	t.Logf("%d bodies verified, %d mutations tried", bodies, mutations)
}

// mutate returns messages that differ from m in one point each and must not be
// accepted. An empty ofauth means that only the standard signature is tested,
// since the change is none to the other.
func mutate(m message, position int, old, foreign http.Header) []message {
	var out []message
	with := func(change func(*message)) {
		changed := m
		changed.body = bytes.Clone(m.body)
		change(&changed)
		out = append(out, changed)
	}
	bit := byte(1) << (position % 8)
	if len(m.body) > 0 {
		with(func(c *message) { c.body[position%len(c.body)] ^= bit })
		with(func(c *message) { c.body = c.body[:position%len(c.body)] })
	}
	with(func(c *message) { c.body = append(c.body, bit) })
	with(func(c *message) { c.id, c.ofauth = flip(c.id, position), "" })
	with(func(c *message) { c.id, c.ofauth = c.id[:len(c.id)-1], "" })
	with(func(c *message) {
		unix, _ := strconv.ParseInt(c.timestamp, 10, 64)
		c.timestamp = strconv.FormatInt(unix+1+int64(position%200), 10)
		c.ofauth = "t=" + c.timestamp + c.ofauth[strings.IndexByte(c.ofauth, ','):]
	})
	with(func(c *message) {
		c.signature, c.ofauth = flip(c.signature, 3+position%40), flip(c.ofauth, 13+position%68)
	})
	with(func(c *message) { c.signature, c.ofauth = "v1,", c.ofauth[:13]+"v1=" })
	with(func(c *message) {
		c.signature, c.ofauth = c.signature[:3+position%44], c.ofauth[:len(c.ofauth)-1-position%64]
	})
	with(func(c *message) {
		c.signature, c.ofauth = "v2"+c.signature[2:], strings.Replace(c.ofauth, "v1=", "v0=", 1)
	})
	out = append(out, messageOf(old, m.body), messageOf(foreign, m.body))
	return out
}

// flip changes one character into another that stands for other bits in
// decimal, hexadecimal and base64 alike.
func flip(text string, position int) string {
	position %= len(text)
	replacement := byte('5')
	if text[position] == '5' {
		replacement = '4'
	}
	return text[:position] + string(replacement) + text[position+1:]
}

func FuzzSignatureHeaders(f *testing.F) {
	f.Add([]byte(`{"id":"evt_1"}`), "evt_1", []byte("0123456789abcdef0123456789abcdef"))
	f.Add([]byte{}, "evt.2", []byte("short"))
	f.Add([]byte("\x00\xff\r\n."), "evt_3\r\n", bytes.Repeat([]byte{0}, 64))
	f.Fuzz(func(t *testing.T, body []byte, id string, key []byte) {
		secret := latchkey.NewSecret([]byte("whsec_" + base64.StdEncoding.EncodeToString(key)))
		header, now := http.Header{}, time.Now()
		err := Sign(header, id, now, body, secret)
		if wellFormed := len(key) >= 24 && len(key) <= 64 && validID(id); wellFormed != (err == nil) {
			t.Fatalf("a key of %d bytes, id %q: %v", len(key), id, err)
		}
		if err != nil {
			return
		}
		var wire bytes.Buffer
		if err := header.Write(&wire); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(wire.String(), "\r\n"); lines != 7 {
			t.Errorf("%d header lines on the wire, want 7", lines)
		}
		if !accepts(t, secret, "Webhook-", header, body) || !accepts(t, secret, "Svix-", header, body) || !acceptsOFAuth(secret, header, body) {
			t.Error("not accepted")
		}
	})
}
