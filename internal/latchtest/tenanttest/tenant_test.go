package tenanttest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"latchkey"
	"latchkey/internal/latchtest"
	"latchkey/internal/web"
)

// reimport gives an imported connection the login that it has.
const reimport = `{"credentials":{"username":"{name}","password":"` + latchtest.Password + `"}}`

// tenant is one organisation in one environment, with an object of each kind.
type tenant struct {
	name    string // of its linked accounts: the canary
	key     string
	revoked string
	without map[latchkey.Scope]string // keys that lack one scope
	ids     map[kind]string
}

// world is the running app with three tenants: mine, the same organisation's
// other environment, and another organisation.
type world struct {
	*latchtest.Server
	mine, elsewhere, stranger *tenant
}

// do makes a call in this process.
func (w world) do(key, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	w.Helper()
	var reader io.Reader = http.NoBody
	if body != "" {
		reader = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(w.Context(), method, "http://latchkey.test"+path, reader)
	if err != nil { // no client could send it
		return nil
	}
	request.RemoteAddr = "192.0.2.1:1234"
	if key != "" {
		request.Header.Set("apikey", key)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	w.App.Handler().ServeHTTP(answer, request)
	return answer
}

// must makes a call that succeeds and returns a text of its answer.
func (w world) must(key, method, path, body, field string) string {
	w.Helper()
	answer := w.do(key, method, path, body)
	var fields map[string]any
	if answer.Code/100 != 2 || json.Unmarshal(answer.Body.Bytes(), &fields) != nil {
		w.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
	text, _ := fields[field].(string)
	return text
}

// settle gives a tenant an object of each kind.
func (w world) settle(name, key string) *tenant {
	w.Helper()
	t := &tenant{name: name, key: key, ids: map[kind]string{}, without: map[latchkey.Scope]string{}}
	for _, lacking := range latchkey.AllScopes() {
		var scopes []string
		for _, scope := range latchkey.AllScopes() {
			if scope != lacking {
				scopes = append(scopes, `"`+string(scope)+`"`)
			}
		}
		t.without[lacking] = w.must(key, "POST", "/v2/api-keys", `{"name":"`+name+`","scopes":[`+strings.Join(scopes, ",")+`]}`, "key")
	}
	revoked := w.do(key, "POST", "/v2/api-keys", `{"name":"`+name+`","scopes":["LINK","ACCOUNT","ACCESS","ADMIN"]}`)
	var made struct {
		ID  string `json:"id"`
		Key string `json:"key"`
	}
	if err := json.Unmarshal(revoked.Body.Bytes(), &made); err != nil {
		w.Fatal(err)
	}
	w.do(key, "DELETE", "/v2/api-keys/"+made.ID, "")
	t.revoked = made.Key
	t.ids[endpoint] = w.must(key, "POST", "/v2/webhook-endpoints", `{"url":"http://127.0.0.1:9/hook","description":"`+name+`"}`, "id")
	t.ids[apiKey] = w.must(key, "POST", "/v2/api-keys", `{"name":"`+name+`","scopes":["LINK"]}`, "id")
	t.ids[connection] = w.must(key, "POST", "/v2/account/connections/import", strings.ReplaceAll(
		`{"provider":"tester","clientReferenceId":"{name}",`+reimport[1:], "{name}", name), "id")
	t.ids[clientApp] = w.must(key, "POST", "/v2/client-apps", `{"name":"Shop","domain":"shop.`+name+`.example","type":"redirect",`+
		`"redirectUris":["https://shop.`+name+`.example/back"],"providers":["tester"],"requireConfirmation":true}`, "id")
	address := w.must(key, "POST", "/v2/link/init", `{"clientAppId":"`+t.ids[clientApp]+`","clientReferenceId":"`+name+`"}`, "url")
	t.ids[secret] = address[strings.LastIndex(address, "/")+1:]
	held := w.do(key, "POST", "/v2/link/init", `{"clientAppId":"`+t.ids[clientApp]+`","clientReferenceId":"held"}`)
	var link latchtest.Link
	if err := json.Unmarshal(held.Body.Bytes(), &link); err != nil {
		w.Fatal(err)
	}
	visit := w.Visit(link.URL).Consent().Submit("continue", "username", name, "password", latchtest.Password)
	t.ids[session], t.ids[code] = link.SessionID, visit.Landed.Query().Get("code")
	var log struct {
		List []struct {
			ID string `json:"id"`
		} `json:"list"`
	}
	if err := json.Unmarshal(w.do(key, "GET", "/v2/events", "").Body.Bytes(), &log); err != nil || len(log.List) == 0 {
		w.Fatalf("no events: %v", err)
	}
	t.ids[event] = log.List[0].ID
	return t
}

func newWorld(t *testing.T, options latchtest.Options) world {
	options.Idle = true
	w := world{Server: latchtest.Start(t, options)}
	keys := map[string][]string{}
	for _, name := range []string{"one", "two"} {
		made, err := w.App.Setup(t.Context(), latchtest.Setup{
			Organisation: name, AppName: "Shop", Domain: name + ".example", Providers: []string{latchtest.ProviderID},
			RedirectURIs: []string{"https://" + name + ".example/back"},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range made {
			keys[name] = append(keys[name], one.Key)
		}
	}
	w.mine = w.settle("minecanary", keys["one"][0])
	w.elsewhere = w.settle("elsewherecanary", keys["one"][1])
	w.stranger = w.settle("strangercanary", keys["two"][0])
	return w
}

// role is who calls.
type role struct {
	name   string
	key    func(latchkey.Scope) string
	tenant *tenant // whose objects it may have; nil: nobody's
}

func (w world) roles() []role {
	fixed := func(key string) func(latchkey.Scope) string { return func(latchkey.Scope) string { return key } }
	return []role{
		{"nobody", fixed(""), nil},
		{"a revoked key", fixed(w.mine.revoked), nil},
		{"a key without the scope", func(scope latchkey.Scope) string { return w.mine.without[scope] }, nil},
		{"the other environment", fixed(w.elsewhere.key), w.elsewhere},
		{"another organisation", fixed(w.stranger.key), w.stranger},
		{"the owner", fixed(w.mine.key), w.mine},
	}
}

func TestNobodySeesOrChangesAnothersThings(t *testing.T) {
	calls, wrong := 0, 0
	latchtest.OnBothEngines(t, func(t *testing.T, options latchtest.Options) {
		w := newWorld(t, options)
		w.Clock.Freeze(w.Clock.Now()) // however slow the machine, what lives for seconds lives to the end
		m := &matrix{world: w, before: w.state()}
		m.run(t)
		w.ownersCan(t)
		calls, wrong = calls+m.calls, wrong+m.wrong
	})
	fmt.Printf("RESULT T-1 %d 0\n", wrong)
	fmt.Printf("RESULT T-1.n %d 20000\n", calls)
	if calls < 20_000 {
		t.Errorf("only %d calls", calls)
	}
}

// matrix is the calls on one engine, and what came of them.
type matrix struct {
	world
	before       map[string]string // what the tenants saw at first
	calls, wrong int
}

// run makes every call that must not change anything.
func (m *matrix) run(t *testing.T) {
	for _, registered := range m.App.Routes() {
		if registered.Kind != web.KindAPI {
			continue
		}
		ways, ok := routes[registered.Pattern]
		if !ok {
			t.Errorf("no call of this test has the route %s", registered.Pattern)
		}
		for _, way := range ways {
			for _, who := range m.roles() {
				for i, owner := range m.tenants() {
					m.spell(registered, way, who, owner, i)
				}
			}
		}
		if diff := cmp.Diff(m.before, m.state()); diff != "" {
			m.breach("%s by those who must not has changed something (-before +after):\n%s", registered.Pattern, diff)
			m.before = m.state()
		}
	}
}

// spell calls about an owner's object in every spelling that this engine has:
// each has the id itself, and half of the others.
func (m *matrix) spell(registered web.Route, way route, who role, owner *tenant, turn int) {
	method, _, _ := strings.Cut(registered.Pattern, " ")
	if m.DatabaseURL != "" {
		turn++
	}
	for i, written := range m.spellingsOf(way, owner) {
		if !written.exact && way.kind != none && (i+turn)%2 == 0 {
			continue
		}
		if way.changes && who.tenant == owner && written.exact {
			continue // it is allowed, and comes at the end
		}
		answer := m.call(way, method, who.key(registered.Scope), owner, written)
		if answer == nil {
			continue
		}
		m.calls++
		if problem := m.judge(way, who, owner, written, answer); problem != "" {
			m.breach("%s by %s, %s of %s %s: %s: %d %s", registered.Pattern, who.name, way.kind, owner.name,
				written.name, problem, answer.Code, answer.Body)
		}
	}
}

func (m *matrix) breach(format string, args ...any) {
	if m.wrong++; m.wrong < 20 {
		m.Errorf(format, args...)
	}
}

func (w world) tenants() []*tenant { return []*tenant{w.mine, w.elsewhere, w.stranger} }

// state is what the tenants see of what they have, but for what a right call
// of this test adds, and what lives at the provider.
func (w world) state() map[string]string {
	w.Helper()
	state := map[string]string{"at the provider": fmt.Sprint(len(w.Provider.Tokens()))}
	for _, owner := range w.tenants() {
		for _, path := range []string{
			"/v2/account/connections?limit=100", "/v2/account/connections/" + owner.ids[connection] + "/settings",
			"/v2/client-apps?limit=100", "/v2/api-keys?limit=100", "/v2/webhook-endpoints?limit=100", "/v2/events?limit=100",
			"/v2/webhook-endpoints/" + owner.ids[endpoint] + "/deliveries?limit=100", "/v2/link/" + owner.ids[secret],
			"/v2/link/sessions/" + owner.ids[session],
		} {
			state[owner.name+" "+path] = w.do(owner.key, "GET", path, "").Body.String()
		}
	}
	return state
}

// spellingsOf are the ids that a route is called with; one without, if it is
// about no object.
func (w world) spellingsOf(way route, owner *tenant) []spelling {
	if way.kind == none {
		return []spelling{{name: "itself"}}
	}
	return spellings(owner.ids[way.kind], owner.ids)
}

// call makes the call; nil when no client could send it.
func (w world) call(way route, method, key string, owner *tenant, written spelling) *httptest.ResponseRecorder {
	w.Helper()
	fill := func(text, id string) string {
		return strings.NewReplacer("{id}", id, "{name}", owner.name, "{endpoint}", owner.ids[endpoint]).Replace(text)
	}
	quoted, err := json.Marshal(written.text)
	if err != nil { // no JSON can say it, and none is sent
		quoted = []byte(`"` + written.text + `"`)
	}
	var headers []string
	if way.header != "" {
		headers = []string{way.header, written.text}
	}
	return w.do(key, method, fill(way.path, written.path), fill(way.body, strings.Trim(string(quoted), `"`)), headers...)
}

// judge returns what is wrong with an answer, "" when nothing is.
func (w world) judge(way route, who role, owner *tenant, written spelling, answer *httptest.ResponseRecorder) string {
	body := answer.Body.String()
	for _, other := range w.tenants() {
		if other != who.tenant && strings.Contains(body, other.name) {
			return "it shows " + other.name
		}
	}
	if answer.Code >= 500 {
		return "it fails"
	}
	own := who.tenant == owner && (written.exact || way.kind == none)
	switch {
	case answer.Code/100 != 2, own, way.kind == none && who.tenant != nil:
		return ""
	case who.tenant == nil:
		return "it is let in"
	case way.answers && (answer.Code == http.StatusNoContent || body == `{"status":"not_found"}`):
		return ""
	case way.anywhere && (who.tenant == owner || strings.HasPrefix(body, `{"list":[],`)):
		return ""
	}
	return "it succeeds"
}

// ownersCan makes every changing call as the owner, so that what was refused
// before was refused for whose it is and nothing else.
func (w world) ownersCan(t *testing.T) {
	last := func(pattern string) int {
		return slices.IndexFunc([]string{"PATCH", "POST", "DELETE"}, func(method string) bool { return strings.HasPrefix(pattern, method) })
	}
	var patterns []string
	for pattern := range routes {
		patterns = append(patterns, pattern)
	}
	slices.SortFunc(patterns, func(one, other string) int {
		ends := func(pattern string) int { return last(pattern)*2 + strings.Count(pattern, "invalidate") }
		if ends(one) != ends(other) {
			return ends(one) - ends(other)
		}
		return strings.Compare(other, one) // endpoints before keys before apps, on which links depend
	})
	for _, pattern := range patterns {
		method, _, _ := strings.Cut(pattern, " ")
		for _, way := range routes[pattern] {
			if !way.changes {
				continue
			}
			id := w.mine.ids[way.kind]
			answer := w.call(way, method, w.mine.key, w.mine, spelling{text: id, path: id})
			if answer.Code/100 != 2 {
				t.Errorf("%s by its owner: %d %s", pattern, answer.Code, answer.Body)
			}
		}
	}
}
