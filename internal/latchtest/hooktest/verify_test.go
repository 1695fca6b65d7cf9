package hooktest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/sinktest"
)

// message is a webhook as a receiver's library gets it.
type message struct {
	Secret    string `json:"secret"`
	ID        string `json:"id"`
	Timestamp string `json:"timestamp"`
	Signature string `json:"signature"`
	Body      string `json:"body"` // base64
}

func messageOf(arrival sinktest.Arrival, secret string) message {
	return message{
		Secret: secret, ID: arrival.Header.Get("webhook-id"), Timestamp: arrival.Header.Get("webhook-timestamp"),
		Signature: arrival.Header.Get("webhook-signature"), Body: base64.StdEncoding.EncodeToString(arrival.Body),
	}
}

// spoiled are messages that differ from a good one in a point each and must not
// be accepted.
func spoiled(good message, other string) []message {
	var list []message
	with := func(change func(*message)) {
		bad := good
		change(&bad)
		list = append(list, bad)
	}
	body, _ := base64.StdEncoding.DecodeString(good.Body)
	unix, _ := strconv.ParseInt(good.Timestamp, 10, 64)
	with(func(m *message) { m.Body = base64.StdEncoding.EncodeToString(append(slices.Clone(body), ' ')) })
	with(func(m *message) {
		m.Body = base64.StdEncoding.EncodeToString(bytes.Replace(body, []byte("active"), []byte("Active"), 1))
	})
	with(func(m *message) { m.ID += "x" })
	with(func(m *message) { m.Timestamp = strconv.FormatInt(unix+1, 10) })
	with(func(m *message) { m.Timestamp = strconv.FormatInt(unix-400, 10) })
	with(func(m *message) { m.Signature = "v1," })
	with(func(m *message) { // every one of them is cut off
		m.Signature = ""
		for signature := range strings.FieldsSeq(good.Signature) {
			m.Signature += signature[:len(signature)/2] + " "
		}
		m.Signature = strings.TrimSpace(m.Signature)
	})
	with(func(m *message) { m.Signature = strings.ReplaceAll(m.Signature, "v1,", "v2,") })
	with(func(m *message) { m.Secret = other })
	return list
}

// verify asks the libraries in JavaScript about every message.
func verify(t *testing.T, messages []message) (standard, svix []bool) {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("testdata/verify")); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = folder
	if printed, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v; run make deps\n%s", err, printed)
	}
	var lines bytes.Buffer
	for _, one := range messages {
		line, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		lines.Write(append(line, '\n'))
	}
	command := exec.CommandContext(t.Context(), "node", "verify.mjs")
	command.Dir, command.Stdin, command.Stderr = folder, &lines, os.Stderr
	printed, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	verdicts := strings.Fields(string(printed))
	if len(verdicts) != 2*len(messages) {
		t.Fatalf("%d verdicts on %d messages", len(verdicts), len(messages))
	}
	for i := range messages {
		standard, svix = append(standard, verdicts[2*i] == "yes"), append(svix, verdicts[2*i+1] == "yes")
	}
	return standard, svix
}

// inGo is what the library in Go says.
func inGo(t *testing.T, one message) bool {
	t.Helper()
	library, err := standardwebhooks.NewWebhook(one.Secret)
	if err != nil {
		t.Fatal(err)
	}
	body, err := base64.StdEncoding.DecodeString(one.Body)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	header.Set("webhook-id", one.ID)
	header.Set("webhook-timestamp", one.Timestamp)
	header.Set("webhook-signature", one.Signature)
	return library.Verify(body, header) == nil
}

// What arrives, byte for byte, is verified by three libraries that have nothing
// in common: before a secret is rotated, and with either secret afterwards.
func TestThreeLibrariesVerifyWhatArrives(t *testing.T) {
	const accounts = 40
	h := newHouse(t, latchtest.Options{})
	type secret struct {
		ID     string `json:"id"`
		Secret string `json:"secret"`
	}
	made := latchtest.Decode[secret](h.Server, h.Want(http.StatusCreated, "POST", "/v2/webhook-endpoints",
		map[string]any{"url": h.sink.URL + "/", "events": []string{"connection.created"}}))
	told := func(n int) {
		h.until("everything is delivered", time.Minute, func() bool { return h.sink.Taken("/") == n })
	}
	h.linkMany(0, accounts, 1)
	told(accounts)
	rotated := latchtest.Decode[secret](h.Server, h.Want(http.StatusOK, "POST", "/v2/webhook-endpoints/"+made.ID+"/rotate-secret", nil))
	h.linkMany(accounts, accounts, 1)
	told(2 * accounts)

	var messages []message
	var good []bool
	for i, arrival := range h.sink.Arrivals() {
		knows := []string{made.Secret} // what a receiver may know
		if i >= accounts {
			knows = append(knows, rotated.Secret)
		}
		if signatures := len(strings.Fields(arrival.Header.Get("webhook-signature"))); signatures != len(knows) {
			t.Errorf("%d signatures while %d secrets are good", signatures, len(knows))
		}
		for _, known := range knows {
			original := messageOf(arrival, known)
			messages, good = append(messages, original), append(good, true)
			for _, bad := range spoiled(original, "whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 32))) {
				messages, good = append(messages, bad), append(good, false)
			}
		}
	}
	standard, svix := verify(t, messages)
	refused, accepted := 0, 0
	for i, one := range messages {
		for library, verdict := range map[string]bool{"Go": inGo(t, one), "standardwebhooks": standard[i], "Svix": svix[i]} {
			if verdict == good[i] {
				continue
			}
			t.Errorf("%s: message %d is accepted: %t", library, i, verdict)
			if refused++; verdict {
				refused, accepted = refused-1, accepted+1
			}
		}
	}
	fmt.Printf("RESULT W-8.libraries 3 3\n")
	fmt.Printf("RESULT W-8.good-refused %d 0\n", refused)
	fmt.Printf("RESULT W-8.spoiled-accepted %d 0\n", accepted)
	t.Logf("%d messages, each held against three libraries", len(messages))
}
