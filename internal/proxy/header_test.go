package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"latchkey/internal/latchtest"
)

// attack is what a caller sends in place of a credential.
const attack = "attack-4711"

// callersOwn are headers that authenticate to somebody or tell who is calling.
var callersOwn = []string{
	"Cookie", "Cookie2", "Proxy-Authorization", "Set-Cookie", "Forwarded", "Via", "X-Forwarded-For",
	"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Client-Cert",
	"X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "X-Original-Url", "X-Original-Host", "X-Rewrite-Url",
	"X-Http-Method-Override", "X-Http-Method", "X-Method-Override", "Origin", "Referer",
	"X_Forwarded_For", "Authori_zation", "Content_Type", "Proxy_Authorization",
}

func TestWhatTheCallerSaysOfItselfNeverReachesTheProvider(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	headers := []string{"x-connection-id", connection, "Authorization", "Bearer " + attack, "X-Kept", "as it is"}
	for _, name := range callersOwn {
		headers = append(headers, name, attack)
	}
	s.Want(http.StatusOK, "POST", "/v2/access/proxy/echo", `{"a":1}`, headers...)
	got := seen.last(t)
	for name, values := range got.Header {
		for _, value := range values {
			if strings.Contains(value, attack) || strings.Contains(value, s.Trial.APIKey) || strings.Contains(value, connection) {
				t.Errorf("%s reached the provider", name)
			}
		}
		if strings.Contains(name, "_") || strings.EqualFold(name, "apikey") {
			t.Errorf("%s reached the provider", name)
		}
	}
	if got.Header.Get("X-Kept") != "as it is" || got.Header.Get("Content-Type") != "application/json" || got.Body != `{"a":1}` {
		t.Errorf("the harmless part did not arrive: %v %q", got.Header, got.Body)
	}
}

func TestAKeyGivenAsBearerTokenDoesNotReachTheProvider(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	s.Want(http.StatusOK, "GET", "/v2/access/proxy/x", nil, "x-connection-id", connection,
		"apikey", "", "Authorization", "Bearer "+s.Trial.APIKey)
	if strings.Contains(seen.last(t).Header.Get("Authorization"), s.Trial.APIKey) {
		t.Error("the key reached the provider")
	}
}

// spellings are 40 ways to ask a proxy to take the credential away (RFC 9110
// section 7.6.1), each beside a credential of the caller's own.
func spellings() []string {
	names := []string{"Authorization", "authorization", "AUTHORIZATION", "aUtHoRiZaTiOn"}
	shapes := []string{
		"Connection: %s\r\n",
		"connection:%s\r\n",
		"CONNECTION:\t%s \t\r\n",
		"Connection: close, %s\r\n",
		"Connection: %s, close\r\n",
		"Connection: ,, %s ,,\r\n",
		"Connection:\r\nConnection: %s\r\n",
		"Connection: keep-alive\r\nConnection: %s\r\n",
		"Connection: Cookie, Host, x-connection-id, apikey, Set-Cookie, User-Agent, %s\r\n",
		"Connection: %s\r\nProxy-Connection: %[1]s\r\nKeep-Alive: %[1]s\r\nTE: %[1]s\r\n",
	}
	var all []string
	for _, shape := range shapes {
		for _, name := range names {
			all = append(all, fmt.Sprintf(shape, name)+"Authorization: Bearer "+attack+"\r\nCookie: s="+attack+"\r\n")
		}
	}
	return all
}

func TestTheCredentialIsThereWhateverTheConnectionHeaderSays(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	want := "Bearer " + s.Provider.Tokens()[0]
	present, attacks := 0, 0
	all := spellings()
	for _, spelling := range all {
		before := len(seen.all())
		status, _, _ := raw(s, head(s, "GET", "/v2/access/proxy/x", connection)+spelling+"\r\n")
		arrivals := seen.all()
		if status != http.StatusOK || len(arrivals) != before+1 {
			t.Errorf("status %d for %q", status, spelling)
			continue
		}
		header := arrivals[before].Header
		if values := header.Values("Authorization"); len(values) == 1 && values[0] == want {
			present++
		}
		if strings.Contains(fmt.Sprint(header), attack) {
			attacks++
		}
		for _, name := range []string{"Connection", "Proxy-Connection", "Keep-Alive", "Te"} {
			if len(header.Values(name)) != 0 {
				t.Errorf("%s reached the provider for %q", name, spelling)
			}
		}
	}
	fmt.Printf("RESULT P-3 %d/%d present, %d attacks %d/%d present, 0 attacks\n", present, len(all), attacks, len(all), len(all))
	if len(all) != 40 || present != len(all) || attacks != 0 {
		t.Errorf("the credential was there %d times of %d, the attack %d times", present, len(all), attacks)
	}
}

func TestUpgradesAreNotPassedOn(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	for _, upgrade := range []string{
		"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
		"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
		"Upgrade: TLS/1.2, h2c\r\nConnection: keep-alive, upgrade\r\n",
		"Upgrade: websocket\r\n",
	} {
		status, _, _ := raw(s, head(s, "GET", "/v2/access/proxy/x", connection)+upgrade+"\r\n")
		got := seen.last(t).Header
		if status != http.StatusOK || len(got.Values("Upgrade"))+len(got.Values("Connection"))+len(got.Values("Http2-Settings")) != 0 {
			t.Errorf("status %d; an upgrade reached the provider: %v", status, got)
		}
	}
	standIn(s, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello")
	status, _, body := raw(s, head(s, "GET", "/v2/access/proxy/x", connection)+
		"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	if status != http.StatusBadGateway || strings.Contains(body, "hello") {
		t.Errorf("a provider that upgrades unasked: status %d", status)
	}
}

func TestAUserAgentIsTheCallersOrOurs(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	for _, c := range []struct{ sent, want string }{{"", "Latchkey/1"}, {"User-Agent: Shop/2\r\n", "Shop/2"}} {
		raw(s, head(s, "GET", "/v2/access/proxy/x", connection)+c.sent+"\r\n")
		if got := seen.last(t).Header.Get("User-Agent"); got != c.want {
			t.Errorf("sent %q, the provider saw %q, want %q", c.sent, got, c.want)
		}
	}
}
