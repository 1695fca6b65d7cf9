package latchkey_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	latchkey "latchkey/sdk/go"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	for name, config := range map[string]latchkey.Config{
		"no base URL":            {APIKey: testKey},
		"a path alone":           {BaseURL: "/v2", APIKey: testKey},
		"another scheme":         {BaseURL: "ftp://link.example.com", APIKey: testKey},
		"no host":                {BaseURL: "https://", APIKey: testKey},
		"a URL with a user":      {BaseURL: "https://me:" + testKey + "@link.example.com", APIKey: testKey},
		"a URL with a query":     {BaseURL: "https://link.example.com?apikey=" + testKey, APIKey: testKey},
		"a URL with a fragment":  {BaseURL: "https://link.example.com#" + testKey, APIKey: testKey},
		"a URL that is none":     {BaseURL: "https://link.example.com:" + testKey, APIKey: testKey},
		"no key":                 {BaseURL: "https://link.example.com"},
		"a key with a new line":  {BaseURL: "https://link.example.com", APIKey: testKey + "\n"},
		"a key with other signs": {BaseURL: "https://link.example.com", APIKey: testKey + "é"},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := latchkey.New(config)
			if err == nil || client != nil {
				t.Fatalf("got %v, want an error", client)
			}
			if strings.Contains(err.Error(), testKey) {
				t.Error("the error has the key in it")
			}
		})
	}
}

func TestNothingPrintsTheKey(t *testing.T) {
	server := serve(t, breaks)
	config := latchkey.Config{BaseURL: server.URL, APIKey: testKey, MaxRetries: -1}
	client, err := latchkey.New(config)
	if err != nil {
		t.Fatal(err)
	}
	_, lost := client.Account.Whoami(t.Context())
	if lost == nil {
		t.Fatal("a broken connection is no error")
	}
	type holder struct {
		Client *latchkey.Client
		Config latchkey.Config
		hidden latchkey.Client
	}
	held := holder{client, config, *client}
	cookie := latchkey.ImportRequest{Cookie: testKey, Credentials: map[string]string{"token": testKey}}
	again := latchkey.ReimportRequest{Cookie: testKey}
	typed := latchkey.Submission{Fields: map[string]string{"password": testKey}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for name, value := range map[string]any{
			"client": client, "copied client": *client, "config": config, "struct": held, "service": client.Link, "error": lost,
			"import": cookie, "second import": &again, "submission": typed,
		} {
			printed := fmt.Sprintf(verb, value)
			if strings.Contains(printed, testKey) || strings.Contains(printed, fmt.Sprintf("%x", testKey)) {
				t.Errorf("%s of the %s shows the key", verb, name)
			}
		}
	}
}

func TestEveryRequestSaysWhoAsks(t *testing.T) {
	server := serve(t)
	if _, err := server.client(t, nil).Account.Whoami(t.Context()); err != nil {
		t.Fatal(err)
	}
	named, err := latchkey.New(latchkey.Config{BaseURL: server.URL + "/", APIKey: testKey, UserAgent: "shop/2"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := named.Account.Whoami(t.Context()); err != nil {
		t.Fatal(err)
	}
	requests, _ := server.came()
	for i, agent := range []string{"latchkey-go/" + latchkey.Version, "shop/2"} {
		if got := requests[i].Header; got.Get("apikey") != testKey || got.Get("User-Agent") != agent {
			t.Errorf("request %d: headers %v", i, got)
		}
		if requests[i].URL.Path != "/v2/account/whoami" {
			t.Errorf("request %d: path %s", i, requests[i].URL.Path)
		}
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	elsewhere := serve(t)
	server := serve(t, says(http.StatusTemporaryRedirect, "", "Location", elsewhere.URL+"/v2/account/whoami"))
	given := &http.Client{Timeout: time.Minute}
	client, err := latchkey.New(latchkey.Config{BaseURL: server.URL, APIKey: testKey, HTTPClient: given})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Account.Whoami(t.Context())
	if failed, ok := errors.AsType[*latchkey.Error](err); !ok || failed.Status != http.StatusTemporaryRedirect {
		t.Errorf("got %v, want an error of status 307", err)
	}
	response, err := client.Access.Do(t.Context(), "conn_1", latchkey.ProxyRequest{Path: "me"})
	if err != nil || response.StatusCode != http.StatusTemporaryRedirect {
		t.Fatalf("got %v, want the redirect as it is: %v", response, err)
	}
	_ = response.Body.Close()
	if requests, _ := elsewhere.came(); len(requests) != 0 {
		t.Error("the key was taken elsewhere")
	}
	if given.CheckRedirect != nil {
		t.Error("the caller's own client was changed")
	}
}
