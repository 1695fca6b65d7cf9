package app_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"latchkey/internal/app"
	"latchkey/internal/vault/seal"
)

// transit answers like the transit engine of HashiCorp Vault: encrypt and
// decrypt of one aes256-gcm96 key with versions and associated data, tokens,
// and its error bodies. https://developer.hashicorp.com/vault/api-docs/secret/transit
type transit struct {
	mu       sync.Mutex
	token    string
	keys     [][]byte // by version, from 1
	oldest   int      // min_decryption_version
	status   int      // answers everything with it; 0: works
	slow     chan struct{}
	requests []string
	bodies   []string
}

func newTransit() *transit {
	t := &transit{token: "hvs.good-token", oldest: 1}
	t.rotate()
	return t
}

func (t *transit) rotate() {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	t.keys = append(t.keys, key)
}

// ServeHTTP answers one request.
func (t *transit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if t.slow != nil {
		<-t.slow
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests = append(t.requests, r.Method+" "+r.URL.Path)
	var text struct {
		Plaintext      string `json:"plaintext"`
		Ciphertext     string `json:"ciphertext"`
		AssociatedData []byte `json:"associated_data"`
	}
	switch {
	case t.status != 0:
		fail(w, t.status, "internal words with "+t.token)
	case r.Header.Get("X-Vault-Token") != t.token:
		fail(w, http.StatusForbidden, "permission denied")
	case json.UnmarshalRead(r.Body, &text) != nil:
		fail(w, http.StatusBadRequest, "failed to parse JSON input")
	case r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/v1/transit/"):
		fail(w, http.StatusNotFound, "no handler for route")
	case r.URL.Path == "/v1/transit/encrypt/latchkey":
		plaintext, err := base64.StdEncoding.DecodeString(text.Plaintext)
		if err != nil {
			fail(w, http.StatusBadRequest, "failed to base64-decode plaintext")
			return
		}
		t.bodies = append(t.bodies, string(plaintext))
		nonce := make([]byte, 12)
		_, _ = rand.Read(nonce)
		sealed := gcm(t.keys[len(t.keys)-1]).Seal(nonce, nonce, plaintext, text.AssociatedData)
		answer(w, map[string]any{"ciphertext": fmt.Sprintf("vault:v%d:%s", len(t.keys), base64.StdEncoding.EncodeToString(sealed)), "key_version": len(t.keys)})
	case r.URL.Path == "/v1/transit/decrypt/latchkey":
		plaintext, err := t.open(text.Ciphertext, text.AssociatedData)
		if err != nil {
			fail(w, http.StatusBadRequest, err.Error())
			return
		}
		answer(w, map[string]any{"plaintext": base64.StdEncoding.EncodeToString(plaintext)})
	default:
		fail(w, http.StatusBadRequest, "encryption key not found")
	}
}

func (t *transit) open(text string, bound []byte) ([]byte, error) {
	parts := strings.SplitN(text, ":", 3)
	if len(parts) != 3 || parts[0] != "vault" {
		return nil, fmt.Errorf("invalid ciphertext: no prefix")
	}
	version, err := strconv.Atoi(strings.TrimPrefix(parts[1], "v"))
	if err != nil || version < t.oldest || version > len(t.keys) {
		return nil, fmt.Errorf("ciphertext or signature version is disallowed by policy (too old)")
	}
	sealed, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(sealed) < 12 {
		return nil, fmt.Errorf("invalid ciphertext: could not decode base64")
	}
	return gcm(t.keys[version-1]).Open(nil, sealed[:12], sealed[12:], bound)
}

func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead
}

func answer(w http.ResponseWriter, data map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.MarshalWrite(w, map[string]any{
		"request_id": "r", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data, "wrap_info": nil, "warnings": nil, "auth": nil,
	})
}

func fail(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, map[string]any{"errors": []string{text}})
}

// withKMS starts the service and returns a configuration that uses it.
func withKMS(t *testing.T) (*transit, app.Config) {
	t.Helper()
	service := newTransit()
	server := httptest.NewTLSServer(service)
	t.Cleanup(server.Close)
	folder := t.TempDir()
	token, ca := filepath.Join(folder, "token"), filepath.Join(folder, "ca.pem")
	for path, text := range map[string][]byte{
		token: []byte(service.token + "\n"),
		ca:    pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
	} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return service, app.Config{
		Data: filepath.Join(folder, "data"), KMS: app.KMS{URL: server.URL, TokenFile: token, CAFile: ca, Timeout: 2 * time.Second},
	}
}

func TestAKeyManagementServiceWrapsTheDataKeys(t *testing.T) {
	service, config := withKMS(t)
	start := func() {
		t.Helper()
		latch, err := app.New(t.Context(), config, app.Parts{})
		if err != nil {
			t.Fatal(err)
		}
		stop(t, latch)
	}
	start()
	if _, err := os.Stat(filepath.Join(config.Data, "vault.key")); err == nil {
		t.Error("there is a key file all the same")
	}
	start() // and again, with what was wrapped before
	service.rotate()
	rotateAndFinish(t, config, "kms:2")
	service.mu.Lock()
	service.oldest = 2 // what the old version wrapped is worth nothing now
	service.mu.Unlock()
	start()
	service.mu.Lock()
	defer service.mu.Unlock()
	for _, request := range service.requests {
		if request != "POST /v1/transit/encrypt/latchkey" && request != "POST /v1/transit/decrypt/latchkey" {
			t.Errorf("it was asked %s", request)
		}
	}
	for _, plaintext := range service.bodies {
		if len(plaintext) != seal.DataKeySize {
			t.Errorf("it was given %d bytes, and should be given keys alone", len(plaintext))
		}
	}
}

// rotateAndFinish rotates at the console, and wants it to be settled.
func rotateAndFinish(t *testing.T, config app.Config, primary string) {
	t.Helper()
	room, err := app.OpenKeyRoom(t.Context(), config, quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = room.Close() }()
	if err := room.Rotate(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if err := room.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	status, err := room.Status(t.Context())
	if err != nil || !status.Settled {
		t.Fatalf("the status is %+v, %v", status, err)
	}
	for _, key := range status.RingKeys {
		if (key.ID == primary) != (key.State == "primary") {
			t.Errorf("%s is %s", key.ID, key.State)
		}
	}
}

func TestAnInstallationMovesFromItsKeyFileToAService(t *testing.T) {
	_, config := withKMS(t)
	service := config.KMS
	config.KMS = app.KMS{}
	build(t, config)
	config.KMS = service
	rotateAndFinish(t, config, "kms:2") // kms:1 was taken up when it was opened
	if err := os.Remove(filepath.Join(config.Data, "vault.key")); err != nil {
		t.Fatal(err)
	}
	build(t, config)
	config.KMS = app.KMS{}
	if text := refused(t, config); !strings.Contains(text, "vault.key is missing") {
		t.Errorf("without the service: %s", text)
	}
}

// The way out of each failure of the service is told, and nothing that it said.
func TestWhatAServiceFailsToDoStopsTheStartWithTheWayOut(t *testing.T) {
	service, config := withKMS(t)
	build(t, config)
	for want, spoil := range map[string]func(*app.KMS){
		"kms.token_file":              func(*app.KMS) { service.token = "hvs.other" },
		"unseal it":                   func(*app.KMS) { service.status = http.StatusServiceUnavailable },
		"see its log":                 func(*app.KMS) { service.status = http.StatusInternalServerError },
		"asked too often":             func(*app.KMS) { service.status = http.StatusTooManyRequests },
		"aes256-gcm96":                func(k *app.KMS) { k.Key = "nobody" },
		"enable the transit engine":   func(k *app.KMS) { k.Mount = "nowhere" },
		"kms.ca_file":                 func(k *app.KMS) { k.CAFile = "" },
		"check kms.url":               func(k *app.KMS) { k.URL = "https://127.0.0.1:1" },
		"holds no certificate":        func(k *app.KMS) { k.CAFile = k.TokenFile },
		"read kms.token_file":         func(k *app.KMS) { k.TokenFile += ".none" },
		"kms.token_file is missing":   func(k *app.KMS) { k.TokenFile = "" },
		"kms.url must be like":        func(k *app.KMS) { k.URL = "https://user:pass@vault.example" },
		"kms.url: it must be https":   func(k *app.KMS) { k.URL = "http://vault.example:8200" },
		"kms.mount must be a name":    func(k *app.KMS) { k.Mount = "../sys" },
		"kms.key must be a name":      func(k *app.KMS) { k.Key = "a/b" },
		"kms.timeout must be between": func(k *app.KMS) { k.Timeout = time.Hour },
	} {
		t.Run(want, func(t *testing.T) {
			spoilt := config
			spoil(&spoilt.KMS)
			text := refused(t, spoilt)
			if !strings.Contains(text, want) || strings.Contains(text, "hvs.") || strings.Contains(text, "internal words") {
				t.Errorf("it says %s", text)
			}
			service.token, service.status = "hvs.good-token", 0
		})
	}
	t.Run("it takes too long", func(t *testing.T) {
		service.slow = make(chan struct{})
		defer close(service.slow)
		spoilt := config
		spoilt.KMS.Timeout = 50 * time.Millisecond
		if text := refused(t, spoilt); !strings.Contains(text, "check kms.url") {
			t.Errorf("it says %s", text)
		}
	})
}
