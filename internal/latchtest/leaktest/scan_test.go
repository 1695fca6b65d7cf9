package leaktest_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/internal/latchtest"
	"latchkey/internal/latchtest/leaktest"
)

// scan is Latchkey before a vase, and every place where something is left.
type scan struct {
	*latchtest.Server
	vase   *vase
	sink   *latchtest.Sink
	answer bytes.Buffer // what backends and people were shown
}

func newScan(t *testing.T, options latchtest.Options) *scan {
	t.Helper()
	v := newVase(t)
	options.Connectors = v.connectors(t)
	s := &scan{vase: v, sink: latchtest.NewSink(t)}
	s.Server = latchtest.Start(t, options)
	for range 2 { // a second one, to rotate
		s.secret("webhook secret", s.Listen(s.sink))
	}
	s.secret("API key", s.Trial.APIKey)
	return s
}

// secret takes up a secret that somebody was given by design.
func (s *scan) secret(kind, value string) {
	s.Helper()
	if value == "" {
		s.Fatalf("there is no %s", kind)
	}
	s.vase.secrets.Add(kind, strings.TrimPrefix(value, "whsec_"))
}

// shown keeps what somebody was shown.
func (s *scan) shown(answer latchtest.Answer) {
	for name, values := range answer.Header {
		_, _ = fmt.Fprintf(&s.answer, "%s: %q\n", name, values)
	}
	_, _ = s.answer.Write(answer.Body)
}

// page keeps a page without the address of it, which is a secret that the
// person has.
func (s *scan) page(visit *latchtest.Visit) *latchtest.Visit {
	own := visit.URL[strings.LastIndex(visit.URL, "/")+1:]
	s.secret("client secret", own)
	answer := visit.Answer
	answer.Body = bytes.ReplaceAll(answer.Body, []byte(own), nil)
	answer.Header = answer.Header.Clone()
	answer.Header.Del("Location")
	s.shown(answer)
	return visit
}

// form links by the recipe, or fails to, in a mode.
func (s *scan) form(provider, mode string) (connection string) {
	s.Helper()
	visit := s.page(s.Visit(s.Init(map[string]any{"provider": provider}).URL)).Consent()
	for _, step := range []struct{ field, kind, value string }{
		{"password", "password", s.vase.made("password")}, {"code", "code", fmt.Sprint(700_000 + time.Now().UnixNano()%100_000)},
	} {
		if visit.Landed != nil || visit.Page.Find(`input[name="`+step.field+`"]`).Length() == 0 {
			continue
		}
		s.secret(step.kind, step.value)
		fields := []string{step.field, step.value}
		if step.field == "password" {
			fields = append(fields, "username", "ada")
		}
		s.vase.behave(mode)
		s.page(visit.Submit("continue", fields...))
		if mode != honest { // and once more, to get to the code
			s.vase.behave(honest)
			if visit.Landed == nil && visit.Page.Find(`input[name="`+step.field+`"]`).Length() != 0 {
				s.page(visit.Submit("continue", fields...))
			}
		}
	}
	s.vase.behave(honest)
	if visit.Landed == nil {
		return ""
	}
	return visit.Landed.Query().Get("connection_id")
}

// oauth links by OAuth, or fails to, in a mode.
func (s *scan) oauth(mode string) (connection string) {
	s.Helper()
	visit := s.page(s.Visit(s.Init(map[string]any{"provider": "vaseoauth"}).URL)).Consent()
	there := visit.Leave()
	state := there.Query().Get("state")
	back, err := url.Parse(there.Query().Get("redirect_uri"))
	if err != nil {
		s.Fatal(err)
	}
	back.RawQuery = url.Values{"state": {state}, "code": {s.vase.made("authorization code")}}.Encode()
	s.vase.behave(mode)
	visit.Arrive(back.String())
	s.vase.behave(honest)
	if visit.Landed == nil {
		s.page(visit)
		return ""
	}
	return visit.Landed.Query().Get("connection_id")
}

// member returns the first member of the name in an answer, wherever it is.
func member(answer latchtest.Answer, name string) string {
	found := regexp.MustCompile(`"` + name + `":"?([^",}]*)`).FindSubmatch(answer.Body)
	if found == nil {
		return ""
	}
	return string(found[1])
}

// panics comes to the provider whose code is broken, with a page of the app's
// own.
func (s *scan) panics() {
	s.Helper()
	link := s.Init(map[string]any{"provider": "shard", "clientAppId": s.Trial.ClientApps["whitelabel"]})
	s.secret("client secret", link.Secret())
	path := "/v2/link/" + link.Secret()
	begun := s.Want(http.StatusOK, "GET", path, nil)
	asked := s.Want(http.StatusAccepted, "POST", path+"/submit", map[string]any{
		"version": 1, "fields": map[string]string{"textVersion": member(begun, "textVersion")},
	})
	version, err := strconv.Atoi(member(asked, "version"))
	if err != nil {
		s.Fatal(err)
	}
	s.shown(s.Want(http.StatusInternalServerError, "POST", path+"/submit", map[string]any{
		"version": version, "fields": map[string]string{"username": "ada", "password": s.vase.made("password")},
	}))
}

// use calls through the proxy and for the profile, in a mode.
func (s *scan) use(connection, mode string) {
	s.Helper()
	s.vase.behave(mode)
	for _, path := range []string{"/v2/access/proxy/me", "/v2/access/self", "/v2/access/proxy/x?y=z"} {
		s.shown(s.Call("GET", path, nil, "x-connection-id", connection))
	}
	s.vase.behave(honest)
}

// mistakes are calls that go wrong before anything happens.
func (s *scan) mistakes() {
	wrong := s.Trial.APIKey[:len(s.Trial.APIKey)-1] + "x"
	s.secret("API key that is wrong", wrong)
	secret := "cs_" + strings.Repeat("0", 20) + "madeUp0123456789madeUp"
	s.secret("client secret that is made up", secret)
	cookie := s.vase.made("imported cookie")
	for _, answer := range []latchtest.Answer{
		s.Call("GET", "/v2/account/whoami", nil, "apikey", wrong),
		s.Call("GET", "/v2/account/whoami", nil, "apikey", "", "Authorization", "Bearer "+wrong),
		s.Call("GET", "/v2/link/"+secret, nil),
		s.Call("GET", "/"+secret, nil, "apikey", ""),
		s.Call("POST", "/v2/account/connections/import", map[string]any{"provider": "vase", "cookie": "session=" + cookie, "userAgent": "x"}),
		s.Call("POST", "/v2/account/connections/import", `{"cookie":"session=`+cookie+`","cookie":1}`),
		s.Call("POST", "/v2/link/"+secret+"/submit", map[string]any{"fields": map[string]string{"password": s.vase.made("password")}}),
		s.Call("GET", "/v2/account/connections", nil), s.Call("GET", "/v2/audit", nil), s.Call("GET", "/v2/events", nil),
		s.Call("GET", "/v2/webhook-endpoints", nil), s.Call("GET", "/v2/api-keys", nil), s.Call("GET", "/v2/link/sessions", nil),
		s.Call("GET", "/debug/pprof/heap", nil), s.Call("GET", "/debug/vars", nil),
	} {
		s.shown(answer)
	}
}

// places are all that is left behind, by place.
func (s *scan) places() map[string][]byte {
	s.Helper()
	places := map[string][]byte{"log": []byte(s.Log.Text()), "answers and pages": s.answer.Bytes()}
	for _, hook := range s.sink.Hooks() {
		places["webhooks"] = append(append(places["webhooks"], fmt.Sprint(hook.Header)...), hook.Body...)
	}
	metrics := httptest.NewRecorder()
	s.App.Metrics().ServeHTTP(metrics, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	places["metrics"] = metrics.Body.Bytes()
	profile := httptest.NewRecorder()
	s.App.Metrics().ServeHTTP(profile, httptest.NewRequest(http.MethodGet, "/debug/pprof/heap", nil))
	if profile.Code != http.StatusNotFound {
		places["pprof"] = profile.Body.Bytes()
	}
	places["audit"] = s.Want(http.StatusOK, "GET", "/v2/audit?limit=100", nil).Body
	err := filepath.WalkDir(s.Data, func(path string, entry fs.DirEntry, err error) error {
		// The trial keeps its key, and the vault has its own, by design.
		if err != nil || entry.IsDir() || entry.Name() == "dev.json" || entry.Name() == "vault.key" {
			return err
		}
		places[entry.Name()], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	if s.DatabaseURL != "" {
		dump, err := exec.CommandContext(s.Context(), "pg_dump", "--inserts", s.DatabaseURL).Output()
		if err != nil {
			s.Fatalf("pg_dump: %v", err)
		}
		places["pg_dump"] = dump
	}
	return places
}

func TestNothingThatIsLeftBehindHoldsASecret(t *testing.T) {
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		s := newScan(t, options)
		var connections []string
		for _, mode := range []string{honest, refusing, broken, noHTTP, moved} {
			for _, connection := range []string{s.form("vase", mode), s.oauth(mode)} {
				if connection != "" {
					connections = append(connections, connection)
				}
			}
		}
		s.panics()
		if len(connections) < 2 {
			t.Fatalf("%d connections", len(connections))
		}
		for i, connection := range connections {
			for _, mode := range []string{honest, broken, noHTTP, moved, refusing} {
				s.use(connection, mode)
			}
			s.vase.behave([]string{honest, broken, noHTTP}[i%3])
			s.shown(s.Call("DELETE", "/v2/account/connections/"+connection, nil))
			s.vase.behave(honest)
		}
		s.mistakes()
		latchtest.Eventually(t, "a webhook arrives", func() bool { return len(s.sink.Hooks()) > 0 })
		if key, err := os.ReadFile(filepath.Join(s.Data, "vault.key")); err == nil {
			for _, line := range strings.Fields(string(key)) {
				if len(line) > 40 {
					s.secret("key of the vault", line)
				}
			}
		}
		hits := 0
		places := s.places()
		for place, content := range places {
			if len(content) == 0 {
				t.Errorf("%s is empty", place)
			}
			for _, finding := range s.vase.secrets.Find(content) {
				hits++
				t.Errorf("in %s stands a secret: %s", place, finding)
			}
		}
		kinds := s.vase.secrets.Kinds()
		if !strings.Contains(string(places["log"]), `"msg":"request panicked"`) {
			t.Error("nothing panicked")
		}
		engine := map[bool]string{true: "sqlite", false: "postgres"}[s.DatabaseURL == ""]
		fmt.Printf("RESULT V-5.%s %d 0\nRESULT V-5.%s.kinds %d 15\nRESULT V-5.%s.places %d 6\nRESULT V-5.%s.encodings %d 8\n",
			engine, hits, engine, len(kinds), engine, len(places), engine, len(leaktest.Encodings))
		if len(kinds) < 15 {
			t.Errorf("only %v", kinds)
		}
	})
}
