package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/shottest"
)

// stage is Latchkey and the site of an app that links accounts with it, on
// another origin and another site.
type stage struct {
	*latchtest.Server
	Origin string // of the site
	sink   *latchtest.Sink
	mu     sync.Mutex
	came   []arrival
}

// arrival is a request to the site's callback.
type arrival struct {
	query   url.Values
	referer string
}

// newStage starts both. The trial's apps know the site.
func newStage(t testing.TB, options latchtest.Options) *stage {
	t.Helper()
	s := &stage{sink: latchtest.NewSink(t)}
	site := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(site.Close)
	s.Origin = strings.Replace(site.URL, "127.0.0.1", "localhost", 1)
	s.Server = latchtest.Start(t, options)
	s.Listen(s.sink)
	for _, kind := range []latchkey.AppType{latchkey.AppRedirect, latchkey.AppEmbed} {
		s.ChangeApp(kind, func(app *latchkey.ClientApp) {
			app.RedirectURIs = append([]string{s.Origin + "/callback"}, app.RedirectURIs...)
			app.AllowedOrigins = append([]string{s.Origin}, app.AllowedOrigins...)
		})
	}
	return s
}

// hostPage shows a link as its query says and records every message with its
// origin, and whether it came from the window of the link.
const hostPage = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<button id="open">Link your account</button><div id="place"></div><script>
var records = [], shown = null;
const query = new URLSearchParams(location.search), url = query.get("url");
addEventListener("message", (event) => {
  records.push({ origin: event.origin, mine: event.source === shown, data: event.data });
});
document.getElementById("open").onclick = () => {
  if (query.get("mode") === "popup") {
    shown = open("about:blank", "_blank", "popup,width=480,height=720");
    shown.location.replace(url);
    return;
  }
  const frame = document.createElement("iframe");
  frame.src = url;
  frame.width = 480;
  frame.height = 720;
  document.getElementById("place").append(frame);
  shown = frame.contentWindow;
};
</script>`

// serve answers for the site.
func (s *stage) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	switch r.URL.Path {
	case "/host":
		if policy := r.URL.Query().Get("coop"); policy != "" {
			w.Header().Set("Cross-Origin-Opener-Policy", policy)
		}
		_, _ = fmt.Fprint(w, hostPage)
	case "/callback":
		s.mu.Lock()
		s.came = append(s.came, arrival{r.URL.Query(), r.Header.Get("Referer")})
		s.mu.Unlock()
		_, _ = fmt.Fprint(w, `<!doctype html><title>Shop</title><body data-page="shop"><main><h1>Welcome back to the shop</h1></main>`)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// arrivals returns with which queries the browser came back for the session.
func (s *stage) arrivals(session string) []arrival {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []arrival
	for _, one := range s.came {
		if one.query.Get("session_id") == session {
			list = append(list, one)
		}
	}
	return list
}

// link asks for a link of the app that comes back to the site.
func (s *stage) link(app latchkey.AppType, reference string) latchtest.Link {
	s.Helper()
	return s.Init(map[string]any{
		"clientAppId": s.Trial.ClientApps[app], "provider": "sandbox", "clientReferenceId": reference,
		"redirectUrl": s.Origin + "/callback",
	})
}

// embedded is the address with which the site embeds the link.
func (s *stage) embedded(link latchtest.Link) string {
	return link.URL + "?embed=true&embed_origin=" + url.QueryEscape(s.Origin)
}

// host opens the site's page that shows a link by mode once its button is
// pressed.
func (s *stage) host(tab *shottest.Tab, mode, address, more string) {
	s.Helper()
	tab.Go(s.Origin + "/host?mode=" + mode + "&url=" + url.QueryEscape(address) + "&" + more)
}

// record is a message that the host page got.
type record struct {
	Origin string `json:"origin"`
	Mine   bool   `json:"mine"` // from the window of the link
	Data   struct {
		Type     string         `json:"type"`
		Event    string         `json:"event"`
		Metadata map[string]any `json:"metadata"`
	} `json:"data"`
}

// hooks returns the types of the webhooks about the reference.
func (s *stage) hooks(reference string) map[string]int {
	types := map[string]int{}
	for _, hook := range s.sink.Hooks() {
		body := string(hook.Body)
		if !strings.Contains(body, `"clientReferenceId":"`+reference+`"`) {
			continue
		}
		_, rest, _ := strings.Cut(body, `"type":"`)
		name, _, _ := strings.Cut(rest, `"`)
		types[name]++
	}
	return types
}

// status returns the state of the link as the API tells it.
func (s *stage) status(link latchtest.Link) string {
	s.Helper()
	type answer struct {
		Status string `json:"status"`
	}
	return latchtest.Decode[answer](s.Server, s.Want(http.StatusOK, "GET", "/v2/link/"+link.Secret(), nil)).Status
}

// connected returns the connections with the reference.
func (s *stage) connected(reference string) []latchtest.Connection {
	s.Helper()
	type list struct {
		List []latchtest.Connection `json:"list"`
	}
	return latchtest.Decode[list](s.Server, s.Want(http.StatusOK, "GET",
		"/v2/account/connections?limit=100&clientReferenceId="+url.QueryEscape(reference), nil)).List
}
