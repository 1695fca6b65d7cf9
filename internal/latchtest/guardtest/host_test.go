package guardtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp/kb"

	"latchkey"
	"latchkey/internal/connector"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

// traffic is what a tab asks for and gets.
type traffic struct {
	mu       sync.Mutex
	requests map[network.RequestID]string // their addresses
	paths    []string
	parent   map[string]string // address → the one that made the browser ask
	bytes    float64           // on the wire, headers too
	first    map[string]float64
}

// record notes the traffic of a tab from now on.
func record(tab *shottest.Tab) *traffic {
	seen := &traffic{requests: map[network.RequestID]string{}, parent: map[string]string{}, first: map[string]float64{}}
	tab.Listen(func(event any) {
		seen.mu.Lock()
		defer seen.mu.Unlock()
		switch event := event.(type) {
		case *network.EventRequestWillBeSent:
			seen.requests[event.RequestID] = event.Request.URL
			seen.paths = append(seen.paths, event.Request.URL)
			if event.Initiator != nil {
				seen.parent[event.Request.URL] = event.Initiator.URL
			}
		case *network.EventLoadingFinished:
			seen.bytes += event.EncodedDataLength
			seen.first[seen.requests[event.RequestID]] = event.EncodedDataLength
		}
	})
	shottest.Call(tab, "record requests", network.Enable, network.EnableParams{})
	return seen
}

// elsewhereThan lists what was asked of other hosts, but for where the person
// was sent in the end.
func (seen *traffic) elsewhereThan(host, end string) (all int, others []string) {
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for _, address := range seen.paths {
		parsed, err := url.Parse(address)
		if err == nil && (parsed.Host == host || parsed.Scheme == "data" || strings.HasPrefix(address, end)) {
			continue
		}
		others = append(others, address)
	}
	return len(seen.paths), others
}

func TestNoOtherHostIsAsked(t *testing.T) {
	s := latchtest.Start(t, latchtest.Options{Idle: true, Connectors: []connector.Connector{elsewhere{}}})
	s.Clock.Freeze(s.Clock.Now())                                   // what waits, waits on, with its stream of events
	s.ChangeApp(latchkey.AppRedirect, func(a *latchkey.ClientApp) { // a logo and a colour that pages could fetch
		a.LogoURL, a.AccentColor = "https://cdn.example.net/logo.svg", "#ff0066"
	})
	shop := httptest.NewServer(http.NotFoundHandler()) // where the person is sent in the end
	defer shop.Close()
	end := shop.URL + "/callback"
	pages := pagesOf(s, latchkey.AppEmbed)
	tab := shottest.Open(t).Visit(t, "about:blank", phone)
	seen := record(tab)
	for _, name := range named(pages) {
		for _, query := range []string{"lang=ja&theme=dark", "embed=true&embed_origin=https%3A%2F%2Fevil.example", "lang=ar&theme=light"} {
			tab.Go(with(pages[name], query))
		}
	}
	for name, walk := range map[string]func(){
		"success": func() {
			tab.Click(`button[value="approve"]`)
			tab.Type(`input[name="username"]`, "jo@creator-otp.sandbox.com")
			tab.Type(`input[name="password"]`, "good-password")
			tab.Click(`button[value="continue"]`)
			tab.Type(`input[name="code"]`, "123456")
			tab.Press(kb.Enter) // the page may have sent it by itself
		},
		"denial": func() { tab.Click(`button[value="deny"]`) },
	} {
		link := s.Init(map[string]any{"clientAppId": s.Trial.ClientApps[latchkey.AppRedirect], "provider": "sandbox", "redirectUrl": end})
		tab.Go(link.URL)
		tab.Click(`button[value="continue"]`)
		walk()
		latchtest.Eventually(t, "the link ends by "+name, func() bool {
			return strings.Contains(strings.Join(seen.all(), " "), link.SessionID)
		})
	}
	all, others := seen.elsewhereThan(strings.TrimPrefix(s.URL, "http://"), shop.URL)
	for _, address := range others {
		if address != "about:blank" && !strings.HasPrefix(address, "chrome-error:") {
			t.Errorf("asked for %s", address)
		}
	}
	fmt.Printf("RESULT B-9 %d 0\n", len(others))
	fmt.Printf("RESULT B-9.n %d 100\n", all)
	if all < 100 {
		t.Errorf("only %d requests", all)
	}
}

// all returns what has been asked for so far.
func (seen *traffic) all() []string {
	seen.mu.Lock()
	defer seen.mu.Unlock()
	return append([]string(nil), seen.paths...)
}

// The budget of the first page, cold.
const (
	wireMost     = 40_000 // bytes, headers too
	requestsMost = 8
	depthMost    = 2     // round trips one after the other: the page, then all it names
	bandwidth    = 200e3 // bytes a second: 3G's 1.6 Mbit/s
	roundTrip    = 0.3   // seconds
	window       = 14_600.0
	completeMost = 2.0 // seconds
)

func TestTheFirstPageIsLight(t *testing.T) {
	s := start(t)
	s.ChangeApp(latchkey.AppRedirect, func(a *latchkey.ClientApp) { a.AccentColor = "#ff0066" })
	for _, page := range []string{open(s, latchkey.AppRedirect, "sandbox").URL, open(s, latchkey.AppRedirect, "").URL} {
		tab := shottest.Open(t).Visit(t, "about:blank", phone) // a browser of its own: nothing is kept
		seen := record(tab)
		shottest.Call(tab, "slow the network down", network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Latency: 1000 * roundTrip, DownloadThroughput: bandwidth, UploadThroughput: bandwidth}},
		})
		tab.Go(page)
		requests := seen.all()
		latchtest.Eventually(t, "all of the page has arrived", func() bool {
			seen.mu.Lock()
			defer seen.mu.Unlock()
			return len(seen.first) == len(seen.requests)
		})
		depth := 0
		for _, address := range requests {
			depth = max(depth, seen.depth(address))
		}
		measured := shottest.Eval[float64](tab, `(performance.getEntriesByType("navigation")[0].loadEventEnd) / 1000`)
		computed := seconds(seen.bytes, depth)
		fmt.Printf("RESULT budget.first-page.bytes %.0f %d\n", seen.bytes, wireMost)
		fmt.Printf("RESULT budget.first-page.requests %d %d\n", len(requests), requestsMost)
		fmt.Printf("RESULT budget.first-page.depth %d %d\n", depth, depthMost)
		fmt.Printf("RESULT budget.first-page.seconds %.2f %.0f (in chromium on this machine: %.2f)\n", computed, completeMost, measured)
		if seen.bytes > wireMost || len(requests) > requestsMost || depth > depthMost || computed > completeMost {
			t.Errorf("%.0f bytes in %d requests, %d deep, %.2f s: %q", seen.bytes, len(requests), depth, computed, requests)
		}
	}
}

// depth is how many round trips it takes until the address is there.
func (seen *traffic) depth(address string) int {
	depth := 1
	for parent := seen.parent[address]; parent != "" && depth < 10; parent = seen.parent[parent] {
		depth++
	}
	return depth
}

// seconds is how long a page takes on 3G by the rules of TCP, whatever machine
// the test runs on: a round trip for the connection and each step of depth, one
// for each further window while TCP starts slowly (RFC 6928), and the bytes.
func seconds(bytes float64, depth int) float64 {
	trips := 1 + float64(depth)
	for sent, most := window, window; sent < bytes; sent += most {
		trips++
		most *= 2
	}
	return trips*roundTrip + bytes/bandwidth
}
