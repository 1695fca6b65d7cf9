package link_test

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/link"
)

// registration is a redirect URI in its parts, and the one way in which
// another may differ from it: the port of a loopback address.
type registration struct {
	scheme, between, host, port, rest string
	anyPort                           *regexp.Regexp // with the port, "" or with its colon, in parentheses
}

var registrations = []registration{
	{scheme: "https", between: "://", host: "shop.example", rest: "/back"},
	{scheme: "https", between: "://", host: "shop.example", port: ":8443", rest: "/a/b?x=1&y=%2F"},
	{scheme: "com.example.shop", between: ":", rest: "/back"},
	{scheme: "http", between: "://", host: "127.0.0.1", rest: "/callback", anyPort: regexp.MustCompile(`^http://127\.0\.0\.1(|:[1-9][0-9]{0,4})/callback$`)},
	{scheme: "http", between: "://", host: "[::1]", port: ":3000", rest: "/callback?x=1", anyPort: regexp.MustCompile(`^http://\[::1\](|:[1-9][0-9]{0,4})/callback\?x=1$`)},
}

func (r registration) uri() string { return r.scheme + r.between + r.host + r.port + r.rest }

// allows reports whether a URI is the registered one, or but for the port.
func (r registration) allows(uri string) bool {
	if uri == r.uri() {
		return true
	}
	if r.anyPort == nil {
		return false
	}
	match := r.anyPort.FindStringSubmatch(uri)
	if match == nil {
		return false
	}
	port, err := strconv.Atoi(strings.TrimPrefix(cmp.Or(match[1], ":80"), ":"))
	return err == nil && port <= 65535
}

// candidates is a set of URIs in the order in which they were added.
type candidates struct {
	seen map[string]bool
	list []string
}

func (c *candidates) add(uri string) {
	if !c.seen[uri] {
		c.seen[uri] = true
		c.list = append(c.list, uri)
	}
}

// hostile are hosts that an attacker has.
var hostile = []string{"evil.example", "203.0.113.9", "[2001:db8::1]", "3405803785", "xn--shp-8na.example"}

// The parts that a URI may be put together from, besides the registered ones.
var (
	schemes   = []string{"https", "http", "HTTPS", "httpS", "javascript", "data", "file", "ftp", "com.example.shop", "COM.example.shop", "", " https", "\thttps", "https\n", "ht\ttps"}
	betweens  = []string{"://", ":/", ":", ":///", ":////", ":\\\\", ":/\\", ":\\/", "//", "%3a//", "%3A%2F%2F"}
	userinfos = []string{"", "user@", "user:pass@", "shop.example@", "evil.example@", "evil.example:80@", "@", ":@", "%40", "evil.example%40", "evil.example\\@", "evil.example#@", "evil.example?@", "evil.example/@"}
	ports     = []string{":0", ":1", ":80", ":443", ":8443", ":3000", ":65535", ":65536", ":080", ":", ":+80", ":-1", ":8 0", ":99999999999", ":80.evil.example", ":80@evil.example", ":80:90", ":%38%30"}
	suffixes  = []string{"", "/", "//", "?", "#", "?x", "&x=1", "#x", "#@evil.example", "?@evil.example", " ", "\t", "\r\n", "\n", "\x00", "%00", "%0d%0a", "%20", ".", "..", "/..", "/../", "/.", "/%2e%2e/", "/..;/", ";", ";x=1", "%2f", "%252f", "\\", "%5c", "//evil.example", "/\\evil.example", "@evil.example", ".evil.example", "*"}
)

// hostsLike returns hosts that look, parse or resolve like one.
func hostsLike(host string) []string {
	swap := strings.NewReplacer
	return append([]string{
		strings.ToUpper(host), host + ".", "." + host, host + ".evil.example", "evil" + host, "evil.example." + host, "evil.example",
		swap(".", "。").Replace(host), swap(".", "．").Replace(host), swap(".", "｡").Replace(host), swap(".", "%2e").Replace(host),
		swap("o", "о").Replace(host), swap("s", "ѕ", "1", "１").Replace(host), swap("e", "é").Replace(host), swap("o", "0", "1", "l").Replace(host),
		swap("s", "%73", "1", "%31").Replace(host), swap("p", "\u00adp", "0", "\u200b0").Replace(host), "xn--" + host, "xn--shp-8na.example",
		"[" + host + "]", host + "%25lo", host + "%00", host + "\x00", host + "\t", host + "\n", host + "%2fevil.example", host + "\\evil.example",
		"sub." + host, "*." + host, "localhost", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "[0:0:0:0:0:0:0:1]", "[::1%25lo]", "0.0.0.0", "",
	}, hostile...)
}

// restsLike returns paths and queries like one.
func restsLike(rest string) []string {
	name := rest[1:]
	return []string{
		"/" + strings.ToUpper(name), "//" + name, "///" + name, "\\" + name, "/\\" + name, "/./" + name, "/x/../" + name, "/x/..;/" + name, "/%2e/" + name,
		"/x/%2e%2e/" + name, "/x/%252e%252e/" + name, "%2f" + name, "/%" + hex.EncodeToString([]byte(name[:1])) + name[1:], "/%25" + hex.EncodeToString([]byte(name[:1])) + name[1:],
		"/;/" + name, ";" + rest, "/" + name[:len(name)-1], "//evil.example" + rest, "/\t" + name, "/\n" + name, "/" + name + "%00", "?" + name, "#" + name, name, "",
	}
}

// addProduct puts together every scheme with every way to go on, every user
// with every host and port, every host with every path, every path with every
// suffix, and three of them at a time.
func (c *candidates) addProduct(r registration) {
	hosts, paths := append(hostsLike(r.host), r.host), append(restsLike(r.rest), r.rest)
	for _, scheme := range append(schemes, r.scheme) {
		for _, between := range betweens {
			for _, host := range hosts {
				c.add(scheme + between + host + r.port + r.rest)
			}
		}
	}
	for _, host := range hosts {
		for _, user := range userinfos {
			for _, port := range append(ports, "", r.port) {
				c.add(r.scheme + r.between + user + host + port + r.rest)
			}
		}
		for _, rest := range paths {
			for _, suffix := range suffixes {
				c.add(r.scheme + r.between + host + r.port + rest + suffix)
			}
		}
	}
}

// addKnown fills in the templates of the well-known families.
func (c *candidates) addKnown(t *testing.T, r registration) (templates int) {
	t.Helper()
	text, err := os.ReadFile("testdata/redirects.txt")
	if err != nil {
		t.Fatal(err)
	}
	raw := regexp.MustCompile(`\{[0-9a-f]{2}\}`)
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		templates++
		line = raw.ReplaceAllStringFunc(line, func(escaped string) string {
			decoded, _ := hex.DecodeString(escaped[1:3])
			return string(decoded)
		})
		for _, host := range hostile {
			c.add(strings.NewReplacer("{U}", r.uri(), "{S}", r.scheme, "{H}", r.host+r.port, "{P}", r.rest, "{E}", host).Replace(line))
		}
	}
	return templates
}

// allCandidates returns every URI that is tried.
func allCandidates(t *testing.T) []string {
	t.Helper()
	c := &candidates{seen: map[string]bool{}}
	for _, r := range registrations {
		c.addProduct(r)
		if templates := c.addKnown(t, r); templates < 150 {
			t.Errorf("only %d templates", templates)
		}
	}
	return c.list
}

// allowed reports whether any registration allows a URI.
func allowed(uri string) bool {
	return slices.ContainsFunc(registrations, func(r registration) bool { return r.allows(uri) })
}

func registered() []string {
	var uris []string
	for _, r := range registrations {
		uris = append(uris, r.uri())
	}
	return uris
}

func TestOnlyRegisteredRedirectsAreTaken(t *testing.T) {
	wrong, accepted, app := 0, 0, latchkey.ClientApp{RedirectURIs: registered()}
	list := allCandidates(t)
	for _, uri := range list {
		if uri == "" { // absent: the first
			continue
		}
		got, err := link.RedirectFor(app, uri)
		if (err == nil) != allowed(uri) || err == nil && got != uri {
			wrong++
			t.Errorf("%q: %v, becomes %q", uri, err, got)
		}
		if err == nil {
			accepted++
		}
	}
	for _, uri := range app.RedirectURIs {
		if _, err := link.RedirectFor(app, uri); err != nil || !slices.Contains(list, uri) {
			wrong++
			t.Errorf("%q: %v", uri, err)
		}
	}
	t.Logf("%d of %d were taken: the registered ones, and loopback with another port", accepted, len(list))
	fmt.Printf("RESULT R-1 %d 0\n", wrong)
	fmt.Printf("RESULT R-1.n %d 50000\n", len(list))
}

func TestInitTakesOnlyRegisteredRedirects(t *testing.T) {
	f := newFleet(t, latchtest.Options{}, 1)
	f.ChangeApp(latchkey.AppEmbed, func(app *latchkey.ClientApp) { app.RedirectURIs = registered() })
	list := allCandidates(t)
	var sample []string
	for i, uri := range list {
		if i%(len(list)/700) == 0 || allowed(uri) {
			sample = append(sample, uri)
		}
	}
	wrong := 0
	for _, uri := range sample {
		answer := f.send(0, post("/v2/link/init", map[string]any{"clientAppId": f.Trial.ClientApps[latchkey.AppEmbed], "redirectUrl": uri}))
		want := http.StatusBadRequest
		if allowed(uri) {
			want = http.StatusOK
		}
		if answer.Code != want || want == http.StatusBadRequest && !strings.Contains(answer.Body.String(), `"field":"redirectUrl"`) {
			wrong++
			t.Errorf("%q: status %d, want %d: %s", uri, answer.Code, want, answer.Body)
		}
	}
	fmt.Printf("RESULT R-1.init %d 0\n", wrong)
	fmt.Printf("RESULT R-1.init.n %d 500\n", len(sample))
}
