package simtest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"latchkey"
	"latchkey/internal/connector"
)

// How the bank is reached.
const (
	bankID           = "bank"
	bankHost         = "bank.example"
	sessionHeader    = "X-Session"
	connectionHeader = "X-Connection"
)

// tokenLife is how long a pair of tokens lives: long enough beside the margin of
// a refresh, the latencies and the skews that two refreshes are never due soon
// after each other.
const tokenLife = 90 * time.Second

// bankConnector links accounts of the bank: a form, for some a second factor,
// and tokens that are exchanged at each refresh.
type bankConnector struct{}

// Describe returns the bank's facts.
func (bankConnector) Describe() connector.Description {
	return connector.Description{
		ID: bankID, Name: "Bank", Domain: bankHost, CheckEvery: 40 * time.Second,
		Environments: []latchkey.Environment{latchkey.Sandbox, latchkey.Live},
	}
}

// Advance asks for a name and a password, and perhaps for a code.
func (c bankConnector) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	if flow.State == nil {
		return connector.Prompt{At: latchkey.StateLogin, State: []byte("login"), Prompt: latchkey.Prompt{Fields: []latchkey.Field{
			{Name: "username", Type: latchkey.FieldText, Label: "Name", Required: true},
			{Name: "password", Type: latchkey.FieldPassword, Label: "Password", Required: true},
		}}}, nil
	}
	name, known := strings.CutPrefix(string(flow.State), "code:")
	if !known {
		name = string(input.Fields["username"].Reveal())
	}
	status, answer, err := c.post(ctx, flow.HTTP, "/login", http.Header{sessionHeader: {flow.SessionID}}, url.Values{
		"username": {name}, "password": {string(input.Fields["password"].Reveal())}, "code": {string(input.Fields["code"].Reveal())},
	})
	if err != nil {
		return nil, err
	}
	switch status {
	case http.StatusOK:
		user := latchkey.UserData{ID: name, Name: name, Username: name}
		return connector.Done{User: user, Credential: c.credential(answer, flow.Now)}, nil
	case http.StatusAccepted:
		return connector.Prompt{At: latchkey.StateTwoFactor, State: []byte("code:" + name), Prompt: latchkey.Prompt{
			Fields:    []latchkey.Field{{Name: "code", Type: latchkey.FieldCode, Label: "Code", Required: true}},
			TwoFactor: &latchkey.TwoFactorState{Options: []string{"app"}},
		}}, nil
	case http.StatusForbidden:
		return connector.Prompt{At: latchkey.StateLogin, Refused: latchkey.FailureInvalidCredentials, State: []byte("login"),
			Prompt: latchkey.Prompt{Fields: []latchkey.Field{
				{Name: "username", Type: latchkey.FieldText, Label: "Name", Required: true},
				{Name: "password", Type: latchkey.FieldPassword, Label: "Password", Required: true},
			}}}, nil
	}
	return nil, fmt.Errorf("log in: status %d", status)
}

func (bankConnector) credential(pair string, now time.Time) connector.Credential {
	return connector.Credential{Secret: []byte(pair), ExpiresAt: now.Add(tokenLife)}
}

func (bankConnector) post(ctx context.Context, client *http.Client, path string, header http.Header, form url.Values,
) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+bankHost+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	request.Header = header
	answer, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body), err
}

// Refresh exchanges the pair for another.
func (c bankConnector) Refresh(ctx context.Context, access connector.Access) (connector.Credential, error) {
	_, refresh, _ := strings.Cut(string(access.Credential), " ")
	status, pair, err := c.post(ctx, access.HTTP, "/token", http.Header{connectionHeader: {access.ConnectionID}}, url.Values{"token": {refresh}})
	switch {
	case err != nil:
		return connector.Credential{}, err
	case status == http.StatusUnauthorized:
		return connector.Credential{}, &connector.Dead{Reason: connector.DeadRevoked}
	case status != http.StatusOK:
		return connector.Credential{}, fmt.Errorf("refresh: status %d", status)
	}
	return c.credential(pair, access.Now), nil
}

// Revoke ends the grant.
func (c bankConnector) Revoke(ctx context.Context, access connector.Access) error {
	_, refresh, _ := strings.Cut(string(access.Credential), " ")
	status, _, err := c.post(ctx, access.HTTP, "/revoke", http.Header{connectionHeader: {access.ConnectionID}}, url.Values{"token": {refresh}})
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("revoke: status %d", status)
	}
	return err
}

// Base returns the bank's address.
func (bankConnector) Base([]byte) (*url.URL, error) {
	return &url.URL{Scheme: "https", Host: bankHost}, nil
}

// Authorize adds the access token.
func (bankConnector) Authorize(out *http.Request, credential []byte) error {
	token, _, _ := strings.Cut(string(credential), " ")
	out.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// Check asks who the access token is.
func (c bankConnector) Check(ctx context.Context, access connector.Access) (connector.Profile, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+bankHost+"/me", nil)
	if err != nil {
		return connector.Profile{}, err
	}
	request.Header.Set(connectionHeader, access.ConnectionID)
	_ = c.Authorize(request, access.Credential)
	answer, err := access.HTTP.Do(request)
	if err != nil {
		return connector.Profile{}, err
	}
	_ = answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		return connector.Profile{}, nil
	case http.StatusUnauthorized:
		return connector.Profile{}, &connector.Dead{Reason: connector.DeadRevoked}
	}
	return connector.Profile{}, fmt.Errorf("check: status %d", answer.StatusCode)
}
