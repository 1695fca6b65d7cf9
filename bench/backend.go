package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-json-experiment/json"
)

// cmpErr returns the first of two errors.
func cmpErr(one, other error) error {
	if one != nil {
		return one
	}
	return other
}

// backend is an app's backend: it calls a Latchkey with a key.
type backend struct {
	url    string
	key    string
	apps   map[string]string // client apps by type
	client *http.Client
}

// newBackend reads the trial's key and apps from the data folder.
func newBackend(data, url string) (*backend, error) {
	text, err := os.ReadFile(filepath.Join(data, "dev.json")) //nolint:gosec // the folder is ours
	if err != nil {
		return nil, fmt.Errorf("read the trial: %w", err)
	}
	var trial struct {
		APIKey     string            `json:"apiKey"`
		ClientApps map[string]string `json:"clientApps"`
	}
	if err := json.Unmarshal(text, &trial); err != nil {
		return nil, fmt.Errorf("read the trial: %w", err)
	}
	return &backend{
		url: url, key: trial.APIKey, apps: trial.ClientApps,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512, DisableCompression: true}},
	}, nil
}

// reply is an answer as it came.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send sends a request; the body is nil or becomes JSON.
func (b *backend) send(ctx context.Context, method, path string, body any) (reply, error) {
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return reply{}, fmt.Errorf("encode the body of %s: %w", path, err)
		}
		reader = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, b.url+path, reader)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	request.Header.Set("apikey", b.key)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := b.client.Do(request)
	if err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	text, err := io.ReadAll(answer.Body)
	if err = cmpErr(err, answer.Body.Close()); err != nil {
		return reply{}, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return reply{answer.StatusCode, answer.Header, text}, nil
}

// call sends a request that must succeed, and reads its JSON.
func (b *backend) call(ctx context.Context, method, path string, body, into any) error {
	got, err := b.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	if got.status/100 != 2 {
		return fmt.Errorf("%s %s is answered %d: %s", method, path, got.status, got.body)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(got.body, into); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// linkState is what a session's status tells.
type linkState struct {
	Status string `json:"status"`
	Data   struct {
		ID   string `json:"id"`
		Step struct {
			Name        string `json:"name"`
			Version     int64  `json:"version"`
			TextVersion string `json:"textVersion"`
		} `json:"step"`
	} `json:"data"`
}

// consentText asks which version of the consent's text is shown.
func (b *backend) consentText(ctx context.Context) (string, error) {
	var begun struct {
		ClientSecret string `json:"clientSecret"`
	}
	body := map[string]any{"clientAppId": b.apps["whitelabel"], "provider": "sandbox"}
	if err := b.call(ctx, http.MethodPost, "/v2/link/init", body, &begun); err != nil {
		return "", err
	}
	var state linkState
	err := b.call(ctx, http.MethodGet, "/v2/link/"+begun.ClientSecret, nil, &state)
	return state.Data.Step.TextVersion, err
}

// link makes a whole link by whitelabel, three requests: begin, consent, log
// in. It returns the connection.
func (b *backend) link(ctx context.Context, provider, username, password, textVersion string) (string, error) {
	var begun struct {
		ClientSecret string `json:"clientSecret"`
	}
	err := b.call(ctx, http.MethodPost, "/v2/link/init", map[string]any{
		"clientAppId": b.apps["whitelabel"], "provider": provider, "clientReferenceId": username,
	}, &begun)
	if err != nil {
		return "", err
	}
	submit := "/v2/link/" + begun.ClientSecret + "/submit"
	var state linkState
	err = b.call(ctx, http.MethodPost, submit, map[string]any{
		"version": 1, "fields": map[string]any{"textVersion": textVersion},
	}, &state)
	if err != nil {
		return "", err
	}
	err = b.call(ctx, http.MethodPost, submit, map[string]any{
		"version": state.Data.Step.Version, "fields": map[string]any{"username": username, "password": password},
	}, &state)
	if err != nil {
		return "", err
	}
	if state.Status != "completed" || state.Data.ID == "" {
		return "", fmt.Errorf("the link of %s ends as %s", username, state.Status)
	}
	return state.Data.ID, nil
}

// page begins a session for the hosted page and returns its secret.
func (b *backend) page(ctx context.Context) (initAnswer, string, error) {
	var begun initAnswer
	err := b.call(ctx, http.MethodPost, "/v2/link/init", map[string]any{
		"clientAppId": b.apps["redirect"], "redirectUrl": redirectURL, "expiresIn": 3600, "clientReferenceId": "user-1",
		"provider": "sandbox",
	}, &begun)
	secret := begun.URL[strings.LastIndex(begun.URL, "/")+1:]
	if err == nil && secret == "" {
		err = errors.New("init gives no page")
	}
	return begun, secret, err
}

// redirectURL is one of the trial's.
const redirectURL = "http://127.0.0.1/callback"
