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
	names := []string{
		"Authorization", "AUTHORIZATION", "aUtHoRiZaTiOn, x-connection-id, APIKEY, Host, Content-Length, Content-Type, Accept-Encoding",
		"authorization, cookie, set-cookie, user-agent, proxy-authorization, forwarded, via, x-forwarded-for, authorization",
	}
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

func TestANameWithAnUnderscoreIsRefusedAndItsConnectionClosed(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	for _, name := range []string{"X_Forwarded_For", "Authori_zation", "Content_Length", "Transfer_Encoding", "_", "x_connection_id"} {
		status, header, _ := raw(s, head(s, "GET", "/v2/access/proxy/x", connection)+name+": 5\r\n\r\n")
		if status != http.StatusBadRequest || header.Get("Connection") != "close" {
			t.Errorf("%s: status %d, Connection %q", name, status, header.Get("Connection"))
		}
	}
	if len(seen.all()) != 0 {
		t.Error("one reached the provider")
	}
}

// changes are requests to change the protocol, or to echo the request.
func changes(s *latchtest.Server, connection string) []string {
	get := head(s, "GET", "/v2/access/proxy/x", connection)
	credentials := "Host: latchkey\r\napikey: " + s.Trial.APIKey + "\r\nx-connection-id: " + connection + "\r\n\r\n"
	return []string{
		get + "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n",
		get + "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		get + "Upgrade: TLS/1.2, h2c\r\nConnection: keep-alive, upgrade\r\n\r\n",
		get + "Upgrade: websocket\r\n\r\n",
		get + "Upgrade:\r\nUpgrade: websocket\r\n\r\n",
		"CONNECT provider.example:443 HTTP/1.1\r\n" + credentials,
		"CONNECT /v2/access/proxy/x HTTP/1.1\r\n" + credentials,
		"TRACE /v2/access/proxy/x HTTP/1.1\r\n" + credentials,
		"TRACK /v2/access/proxy/x HTTP/1.1\r\n" + credentials,
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	}
}

func TestNoProtocolIsChanged(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{})
	seen := listen(s, nil)
	connection := linked(s, "", "ada")
	passed := 0
	all := changes(s, connection)
	for _, change := range all {
		status, _, body := raw(s, change)
		if status < 400 || status >= 600 {
			passed++
			t.Errorf("status %d for %.60q", status, change)
		}
		if strings.Contains(body, s.Trial.APIKey) {
			t.Errorf("%.20q is echoed", change)
		}
	}
	passed += len(seen.all())
	fmt.Printf("RESULT P-9 %d of %d 0\n", passed, len(all))
	if passed != 0 {
		t.Errorf("%d were passed on", passed)
	}
	standIn(s, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello")
	status, _, body := raw(s, head(s, "GET", "/v2/access/proxy/x", connection)+"\r\n")
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
