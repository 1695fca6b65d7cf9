package lifetest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"latchkey/internal/latchtest"
)

// send sends a request as the app's backend and returns the answer's status,
// its Location and its body.
func (p *process) send(method, address, contentType, body string, headers ...string) (int, string, string, error) {
	request, err := http.NewRequestWithContext(p.Context(), method, address, strings.NewReader(body))
	if err != nil {
		return 0, "", "", err
	}
	request.Header.Set("apikey", p.Key)
	request.Header.Set("Content-Type", contentType)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return 0, "", "", err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header.Get("Location"), string(text), err
}

// must sends what has to be answered with the status, and reads the answer.
func (p *process) must(status int, method, path, body string, into any) {
	p.Helper()
	got, _, text, err := p.send(method, p.URL+path, "application/json", body)
	if err != nil || got != status {
		p.Fatalf("%s %s: %d %s %v", method, path, got, text, err)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			p.Fatalf("%s %s: %v", method, path, err)
		}
	}
}

// link links the account, or links the connection anew, and returns its id.
func (p *process) link(connection string) string {
	p.Helper()
	body := map[string]string{"provider": latchtest.RotatingID}
	if connection != "" {
		body["connectionId"] = connection
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		p.Fatal(err)
	}
	var session struct {
		URL string `json:"url"`
	}
	p.must(http.StatusOK, "POST", "/v2/link/init", string(encoded), &session)
	location := ""
	for _, form := range []string{
		"version=1&action=continue", "version=2&action=approve", "version=4&action=continue&username=ada",
	} {
		var status int
		status, location, _, err = p.send("POST", session.URL, "application/x-www-form-urlencoded", form, "apikey", "")
		if err != nil || status != http.StatusSeeOther {
			p.Fatalf("a step of the link: %d %v", status, err)
		}
	}
	target, err := url.Parse(location)
	if err != nil || target.Query().Get("connection_id") == "" {
		p.Fatalf("the link ended at %s", location)
	}
	return target.Query().Get("connection_id")
}

// use calls the provider through the proxy.
func (p *process) use(connection string) (int, error) {
	status, _, _, err := p.send("GET", p.URL+"/v2/access/proxy/me", "", "", "x-connection-id", connection)
	return status, err
}

// told is an event of a connection.
type told struct {
	Type string `json:"type"`
	Data struct {
		Connection struct {
			ID     string `json:"id"`
			Expiry struct {
				Reason    string `json:"reason"`
				CanReauth bool   `json:"canReauth"`
			} `json:"expiry"`
		} `json:"connection"`
	} `json:"data"`
}

// events returns the connection's events of the type.
func (p *process) events(connection, eventType string) (found []told) {
	p.Helper()
	for after, more := "0", true; more; {
		var page struct {
			List    []told `json:"list"`
			HasMore bool   `json:"hasMore"`
			Cursor  string `json:"cursor"`
		}
		p.must(http.StatusOK, "GET", fmt.Sprintf("/v2/events?limit=100&after=%s", after), "", &page)
		for _, event := range page.List {
			if event.Type == eventType && event.Data.Connection.ID == connection {
				found = append(found, event)
			}
		}
		after, more = page.Cursor, page.HasMore
	}
	return found
}
