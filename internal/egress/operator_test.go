package egress

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

func TestAClientOfTheOperatorsServerGoesNowhereElse(t *testing.T) {
	answered := 0
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answered++
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		}
	})
	named, other := httptest.NewServer(handler), httptest.NewServer(handler)
	defer named.Close()
	defer other.Close()
	server, err := url.Parse(named.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := Operator(server, nil, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	get := func(address string) (*http.Response, error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
		return response, err
	}
	if response, err := get(named.URL + "/away"); err != nil || response.StatusCode != http.StatusFound {
		t.Errorf("the named server: %v", err)
	}
	if _, err := get(other.URL); !errors.Is(err, ErrRefused) {
		t.Errorf("another server: %v", err)
	}
	if answered != 1 {
		t.Errorf("%d requests arrived", answered)
	}
}

func TestAnOperatorsServerIsHTTPSOrOnLoopback(t *testing.T) {
	for address, good := range map[string]bool{
		"https://vault.example": true, "https://10.0.0.1:8200": true, "http://127.0.0.1:8200": true, "http://[::1]:8200": true,
		"http://vault.example": false, "http://10.0.0.1:8200": false, "http://localhost:8200": false, "ftp://127.0.0.1": false,
	} {
		server, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Operator(server, nil, time.Second); (err == nil) != good {
			t.Errorf("%s: %v", address, err)
		}
	}
	for address, want := range map[string]string{
		"https://vault.example": "vault.example:443", "http://[::1]": "[::1]:80", "https://10.0.0.1:8200": "10.0.0.1:8200",
	} {
		server, _ := url.Parse(address)
		if got := hostAndPort(server); got != want {
			t.Errorf("%s is dialled as %s", address, got)
		}
	}
}
