package guardtest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/go-json-experiment/json"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

// hosts are sites that would frame a page. Chromium takes every name below
// localhost for this machine.
type hosts struct{ port, port2 string }

// origin is that of a site, on the usual port.
func (h hosts) origin(name string) string { return "http://" + name + ".localhost:" + h.port }

// frames is a document that has a frame for each address when begin is called,
// or at once when it is in a frame itself.
func frames(sandbox string, addresses ...string) string {
	list, _ := json.Marshal(addresses)
	return `<!doctype html><title>host</title><body><script>
const addresses = ` + string(list) + `;
let loads = 0;
const begin = () => {
	for (const address of addresses.splice(0)) {
		const frame = document.createElement("iframe");
		if ("` + sandbox + `") frame.sandbox = "` + sandbox + `";
		frame.onload = () => loads++;
		frame.src = address;
		document.body.append(frame);
	}
	return true;
};
if (parent !== window) begin();
</script>`
}

// serveHosts serves, under every name, /embed with a frame for each u of its
// query, and /nest with a frame of /embed at the origin in its query.
func serveHosts(t *testing.T) hosts {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		query := r.URL.Query()
		if inner := query.Get("inner"); inner != "" {
			sandbox := query.Get("sandbox")
			query.Del("inner")
			query.Del("sandbox")
			_, _ = fmt.Fprint(w, frames(sandbox, inner+"/embed?"+query.Encode()))
			return
		}
		_, _ = fmt.Fprint(w, frames(query.Get("sandbox"), query["u"]...))
	})
	var ports []string
	for range 2 {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		ports = append(ports, server.URL[strings.LastIndex(server.URL, ":")+1:])
	}
	return hosts{ports[0], ports[1]}
}

// framed returns the addresses, without query, of all documents in frames of
// the tab, and how many frames of pages the browser has decided about: a page
// that waits changes its query, and a frame whose document was refused has the
// browser's own. It does not wait for them to be loaded: what is not drawn,
// since it is far below, waits for its pictures.
func framed(tab *shottest.Tab) (found []string, decided int) {
	var walk func(tree *page.FrameTree)
	walk = func(tree *page.FrameTree) {
		for _, child := range tree.ChildFrames {
			address, _, _ := strings.Cut(child.Frame.URL, "?")
			switch {
			case child.Frame.UnreachableURL != "":
				decided++
			case strings.HasPrefix(address, "http") && !strings.HasSuffix(address, "/embed"):
				decided++
				found = append(found, address)
			}
			walk(child)
		}
	}
	walk(shottest.Call(tab, "read the frames", page.GetFrameTree, cdp.Empty{}).FrameTree)
	slices.Sort(found)
	return slices.Compact(found), decided
}

// inTime waits as long as a busy browser may take for many pages at once.
func inTime(t *testing.T, what string, check func() bool) {
	t.Helper()
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for deadline := time.Now().Add(time.Minute); !check(); <-ticks.C {
		if time.Now().After(deadline) {
			t.Fatalf("it never happened that %s", what)
		}
	}
}

// embedders are the ways to frame pages, and the names of the apps whose pages
// they may frame.
func (h hosts) embedders(t *testing.T) map[string]struct {
	address func(addresses []string) string
	allowed string
} {
	embed := func(origin string, more ...string) func([]string) string {
		return func(addresses []string) string {
			query := url.Values{"u": addresses}
			for i := 0; i+1 < len(more); i += 2 {
				query.Set(more[i], more[i+1])
			}
			return origin + "/embed?" + query.Encode()
		}
	}
	type embedder = struct {
		address func(addresses []string) string
		allowed string
	}
	return map[string]embedder{
		"the first app's own origin":  {embed(h.origin("one")), "one"},
		"the second app's own origin": {embed(h.origin("two")), "two"},
		"a subdomain of it":           {embed(h.origin("www.one")), ""},
		"a sibling of it":             {embed(h.origin("sibling")), ""},
		"another port of it":          {embed("http://one.localhost:" + h.port2), ""},
		"a null origin on it":         {embed(h.origin("one"), "inner", h.origin("one"), "sandbox", "allow-scripts"), ""},
		"a null frame on it":          {embed(h.origin("one"), "sandbox", "allow-scripts"), "one"}, // its host is not null
		"it within a stranger":        {embed(h.origin("evil"), "inner", h.origin("one")), ""},
		"a stranger within it":        {embed(h.origin("one"), "inner", h.origin("evil")), ""},
		"one app within the other":    {embed(h.origin("one"), "inner", h.origin("two")), ""},
		"a data: document": {func(addresses []string) string {
			return "data:text/html," + url.PathEscape(frames("", addresses...))
		}, ""},
		"a file": {func(addresses []string) string {
			name := filepath.Join(t.TempDir(), "host.html")
			if err := os.WriteFile(name, []byte(frames("", addresses...)), 0o644); err != nil {
				t.Fatal(err)
			}
			return "file://" + name
		}, ""},
	}
}

func TestOnlyItsOwnAppFramesAPage(t *testing.T) {
	s, h := start(t), serveHosts(t)
	apps := map[string]latchkey.AppType{"one": latchkey.AppEmbed, "two": latchkey.AppRedirect}
	owner, title := map[string]string{}, map[string]string{}
	var addresses []string
	for name, app := range apps {
		s.ChangeApp(app, func(a *latchkey.ClientApp) { a.AllowedOrigins = []string{h.origin(name)} })
	}
	for name, app := range apps {
		for page, address := range pagesOf(s, app) {
			first := name == "one" || slices.Contains([]string{"pre-login", "authorization", "login", "2fa", "error", "done"}, page)
			if address, _, _ = strings.Cut(address, "?"); first && page != "gone" {
				owner[address], title[address] = name, page
				addresses = append(addresses, address)
			}
		}
	}
	slices.Sort(addresses)
	wrong, tried := 0, 0
	browser := shottest.Open(t, chromedp.Flag("disable-site-isolation-trials", true), // all frames in one tree, to be read at once
		chromedp.Flag("disable-features", "IsolateOrigins,site-per-process,IsolateSandboxedIframes"))
	for name, embedder := range h.embedders(t) {
		tab := browser.Visit(t, embedder.address(addresses), phone)
		var want []string
		for _, address := range addresses {
			if tried++; embedder.allowed != "" && owner[address] == embedder.allowed {
				want = append(want, address)
			}
		}
		shottest.Eval[bool](tab, "begin()")
		var got []string
		inTime(t, name+": the browser decides about every frame", func() bool {
			loaded, decided := framed(tab)
			got = slices.DeleteFunc(loaded, func(address string) bool { return owner[address] == "" })
			if decided == 0 && shottest.Eval[int](tab, "loads") == len(addresses) {
				return true // in processes of their own, as in a file; what is refused loads at once
			}
			return decided >= len(addresses)
		})
		for _, address := range addresses {
			if framed, wanted := slices.Contains(got, address), slices.Contains(want, address); framed != wanted {
				wrong++
				t.Errorf("%s frames the page %s of app %s: %v", name, title[address], owner[address], framed)
			}
		}
		tab.Close()
	}
	fmt.Printf("RESULT B-1.frames %d 0\n", wrong)
	fmt.Printf("RESULT B-1.frames.n %d 250\n", tried)
	if tried < 250 {
		t.Errorf("only %d frames", tried)
	}
}

// ways are the methods and headers with which each route is asked, in bad ways
// most of all.
func ways(s *latchtest.Server) (methods []string, headers [][]string) {
	return []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FROB"}, [][]string{
		{"apikey", ""}, {"apikey", "sk_sandbox_wrong"}, {"apikey", s.Trial.APIKey},
		{"apikey", "", "Sec-Fetch-Site", "cross-site", "Content-Type", "application/x-www-form-urlencoded"},
		{"apikey", "", "Content-Type", "application/x-www-form-urlencoded"}, // bad requests and redirects to pages
	}
}

func TestEveryAnswerSaysWhoMayFrameIt(t *testing.T) {
	s := start(t)
	var paths []string
	for _, route := range s.App.Routes() {
		_, path, _ := strings.Cut(route.Pattern, " ")
		paths = append(paths, path)
	}
	pages := pagesOf(s, latchkey.AppRedirect)
	for _, name := range named(pages) {
		path := strings.TrimPrefix(pages[name], s.URL)
		paths = append(paths, path, "/s"+path+"/events")
	}
	paths = append(paths, "/", "/nowhere", "//", "/%00", "/cs_x/y", "/static/", "/static/nothing.css", "/v2/link/init/", "/../v2", "/healthz",
		"/"+strings.Repeat("a", 8000), "/v2/access/proxy/x?y", "/favicon.ico", "/robots.txt", "/.well-known/x", "/embed.js")
	slices.Sort(paths)
	methods, headers := ways(s)
	asked, lacking, statuses := 0, 0, map[int]int{}
	for _, path := range slices.Compact(paths) {
		path = strings.NewReplacer("{$}", "", "{path...}", "x", "{", "", "}", "").Replace(path)
		for _, method := range methods {
			for _, header := range headers {
				request := httptest.NewRequestWithContext(t.Context(), method, "http://latchkey.test/", strings.NewReader([]string{"version=x", "version=0"}[asked%2]))
				request.URL = &url.URL{Scheme: "http", Host: "latchkey.test", Path: path}
				if before, query, found := strings.Cut(path, "?"); found {
					request.URL.Path, request.URL.RawQuery = before, query
				}
				for i := 0; i < len(header); i += 2 {
					request.Header.Set(header[i], header[i+1])
				}
				answer := httptest.NewRecorder()
				ctx, leave := context.WithCancel(request.Context())
				s.App.Handler().ServeHTTP(leaving{answer, leave}, request.WithContext(ctx))
				leave()
				asked++
				if statuses[answer.Code]++; answer.Code >= 500 {
					t.Errorf("%s %s is %d", method, path, answer.Code)
				}
				policies := answer.Header().Values("Content-Security-Policy")
				if len(policies) != 1 || strings.Count(policies[0], "frame-ancestors '") != 1 || strings.Contains(policies[0], "*") {
					lacking++
					t.Errorf("%s %.80s, %d: %q", method, path, answer.Code, policies)
				}
			}
		}
	}
	t.Logf("statuses: %v", statuses)
	for _, status := range []int{200, 303, 400, 401, 403, 404} {
		if statuses[status] == 0 {
			t.Errorf("no answer was %d", status)
		}
	}
	fmt.Printf("RESULT B-1 %d 0\n", lacking)
	fmt.Printf("RESULT B-1.n %d 2000\n", asked)
	if asked < 2000 {
		t.Errorf("only %d answers", asked)
	}
}

// leaving is somebody who goes when the first of an answer arrives, as for a
// stream that has no end.
type leaving struct {
	*httptest.ResponseRecorder
	leave context.CancelFunc
}

// Write takes the first of the answer.
func (l leaving) Write(p []byte) (int, error) {
	l.leave()
	return l.ResponseRecorder.Write(p)
}
