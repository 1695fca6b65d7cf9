package atproto_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/connector/atproto"
	"latchkey/internal/latchtest/atprototest"
)

// doc is a DID document with one PDS.
func doc(did, name, endpoint string) string {
	return fmt.Sprintf(`{"id":%q,"alsoKnownAs":["https://example.com",%q],"service":[{"id":"#x","type":["a"],"serviceEndpoint":{"a":1}},`+
		`{"id":"#atproto_pds","type":"AtprotoPersonalDataServer","serviceEndpoint":%q}]}`, did, name, endpoint)
}

func TestHandleAndDIDMustNameEachOther(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{})
	did := server.Create(ada)
	for name, text := range map[string]string{
		"the document names another handle": doc(did, "at://eve.test", server.URL),
		"the document names none":           doc(did, "https://ada.test", server.URL),
		"the document is another DID's":     doc("did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", "at://"+handle, server.URL),
		"the PDS is in clear elsewhere":     doc(did, "at://"+handle, "http://pds.example.com"),
		"the PDS has a path":                doc(did, "at://"+handle, server.URL+"/path"),
		"the PDS has a user":                doc(did, "at://"+handle, "https://me:you@pds.example.com"),
		"the PDS has a query":               doc(did, "at://"+handle, "https://pds.example.com?x=1"),
		"the PDS is a script":               doc(did, "at://"+handle, "javascript:alert(1)"),
		"the PDS's address is a book":       doc(did, "at://"+handle, "https://"+strings.Repeat("a", 600)),
		"there is no PDS":                   `{"id":"` + did + `","alsoKnownAs":["at://` + handle + `"]}`,
		"there are a thousand names":        `{"id":"` + did + `","alsoKnownAs":["` + strings.Repeat(`x","`, 1000) + `"]}`,
	} {
		t.Run(name, func(t *testing.T) {
			server.SetDocument(did, text)
			step, err := visit(t, server).submit("username", handle, "password", appPassword)
			refused(t, step, err, latchkey.StateLogin, latchkey.FailureInvalidCredentials)
		})
	}
	if server.Calls("com.atproto.server.createSession") != 0 {
		t.Error("the PDS was given the password")
	}
}

func TestADocumentThatIsNoneEndsNothing(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{})
	did := server.Create(ada)
	for name, text := range map[string]string{
		"no JSON": "<html>", "too large": `{"id":"` + strings.Repeat("x", 200<<10) + `"}`,
		"too deep": `{"id":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			server.SetDocument(did, text)
			_, err := visit(t, server).submit("username", handle, "password", appPassword)
			if _, over := errors.AsType[*connector.Failure](err); err == nil || over {
				t.Errorf("got %v, want an error that is no failure", err)
			}
		})
	}
}

func TestADIDWhoseHandleDoesNotNameItIsLinkedWithoutTheHandle(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{Bare: true})
	did := server.Create(ada)
	server.SetRecords("_atproto."+handle, "did=did:plc:aaaaaaaaaaaaaaaaaaaaaaaa")
	step, err := visit(t, server).submit("username", did, "password", appPassword)
	if done := linked(t, step, err); done.User.Username != did || done.User.Name != did {
		t.Errorf("linked as %+v", done.User)
	}
}

func TestRecordsOfDNS(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{})
	did := server.Create(ada)
	other := "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
	for name, c := range map[string]struct {
		records []string
		good    bool
	}{
		"among others":               {[]string{"v=spf1 -all", "did=" + did}, true},
		"twice the same":             {[]string{"did=" + did, "did=" + did}, true},
		"in two strings":             {[]string{"did=" + did[:10] + `" "` + did[10:]}, true},
		"two different":              {[]string{"did=" + did, "did=" + other}, false},
		"two different, ours last":   {[]string{"did=" + other, "did=" + did}, false},
		"of a method unknown to us":  {[]string{"did=did:key:abc"}, false},
		"with something after it":    {[]string{"did=" + did + "/x"}, false},
		"more than there are reason": {append(make([]string, 65), "did="+did), false},
	} {
		t.Run(name, func(t *testing.T) {
			server.SetRecords("_atproto."+handle, c.records...)
			step, err := visit(t, server).submit("username", handle, "password", appPassword)
			if _, ok := step.(connector.Done); ok != c.good {
				t.Errorf("got %T, %v", step, err)
			}
		})
	}
}

// site is a web server with a certificate for example.com and its subdomains,
// and a client that finds every host there.
func site(t *testing.T, pages map[string]string) *http.Client {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages["https://"+r.Host+r.URL.Path]
		switch {
		case !ok:
			http.NotFound(w, r)
		case strings.HasPrefix(page, "https://"):
			http.Redirect(w, r, page, http.StatusFound)
		default:
			_, _ = w.Write([]byte(page))
		}
	}))
	t.Cleanup(server.Close)
	found := server.Client()
	transport, ok := found.Transport.(*http.Transport)
	if !ok {
		t.Fatalf("the client has a %T", found.Transport)
	}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if !strings.HasPrefix(address, "127.0.0.1:") {
			address = server.Listener.Addr().String()
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return found
}

func TestWithoutATXTRecordTheHandlesOwnSiteIsAsked(t *testing.T) {
	const name = "ada.example.com"
	server := atprototest.Start(t, atprototest.Options{})
	account := ada
	account.Handle = name
	did := server.Create(account)
	server.SetRecords("_atproto." + name)
	page := "https://" + name + "/.well-known/atproto-did"
	for title, c := range map[string]struct {
		pages map[string]string
		good  bool
	}{
		"it names the DID":      {map[string]string{page: did + "\n"}, true},
		"it names nothing":      {map[string]string{page: "<html>"}, false},
		"it does not exist":     {nil, false},
		"it redirects":          {map[string]string{page: "https://x.example.com/did", "https://x.example.com/did": did}, false},
		"it is larger than fit": {map[string]string{page: did + strings.Repeat(" ", 5000)}, false},
	} {
		t.Run(title, func(t *testing.T) {
			v := visitor{t: t, provider: provider(server), http: site(t, c.pages)}
			v.begin()
			step, err := v.submit("username", name, "password", appPassword)
			if c.good {
				linked(t, step, err)
				return
			}
			refused(t, step, err, latchkey.StateLogin, latchkey.FailureInvalidCredentials)
		})
	}
}

func TestADIDOfTheWebIsResolvedAtItsHost(t *testing.T) {
	const did = "did:web:ada.example.com"
	pages := map[string]string{
		"https://ada.example.com/.well-known/did.json":    doc(did, "at://ada.example.com", "https://pds.example.com"),
		"https://ada.example.com/.well-known/atproto-did": did,
		"https://pds.example.com/xrpc/com.atproto.server.createSession": `{"did":"` + did + `","handle":"x","accessJwt":"opaque",` +
			`"refreshJwt":"opaque too"}`,
	}
	server := atprototest.Start(t, atprototest.Options{})
	v := visitor{
		t: t, provider: atproto.New(atproto.Config{Resolver: server.Resolver(), Directory: server.Directory()}), http: site(t, pages),
	}
	v.begin()
	step, err := v.submit("username", did, "password", appPassword)
	done := linked(t, step, err)
	if done.User.ID != did || done.User.Username != "ada.example.com" {
		t.Errorf("linked %+v", done.User)
	}
	if done.Credential.ExpiresAt.IsZero() {
		t.Error("a token that can't be read is never renewed")
	}
}

func TestAResolverThatIsDownDoesNotMakeAHandleUnknown(t *testing.T) {
	server := atprototest.Start(t, atprototest.Options{})
	server.Create(ada)
	server.Down(true)
	_, err := visit(t, server).submit("username", "ada.invalid-host.test", "password", appPassword)
	if err == nil {
		t.Error("the handle was refused")
	}
}
