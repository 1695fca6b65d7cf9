package latchkey_test

import (
	"strings"
	"testing"
)

// planted is a file put into an empty tree, and the only rule it breaks.
type planted struct {
	file, text, rule string
}

func TestPlanCatches(t *testing.T) {
	const (
		unplanned = "the package is not on the plan"
		notMay    = "the plan does not allow the import"
		door      = "a door is imported"
		appOnly   = "only app imports store, egress and connector/all"
		sealed    = "only vault imports vault/seal"
		noVault   = "a door other than proxy imports vault"
		providers = "a provider imports a provider"
		database  = "only store knows a database"
		html      = "only web, hosted, dash and reference write HTML"
		untested  = "only tests import testing"
		jsonV2    = "JSON is go-json-experiment's"
		random    = "randomness is crypto/rand's"
		logs      = "logging is log/slog's"
		nameless  = "the package's name says nothing"
		alone     = "a client library needs the standard library alone"
		itself    = "the house does not call itself through a client library"
	)
	for name, p := range map[string]planted{
		"a package nobody planned":           {"internal/cache/cache.go", "package cache", unplanned},
		"a provider inside a provider":       {"internal/connector/acme/inner/inner.go", "package inner", unplanned},
		"a package named util":               {"internal/web/util/util.go", "package util", nameless},
		"a helpers clause in a decent place": {"internal/web/kit.go", "package helpers", nameless},
		"a word that knows a room":           {"word.go", imports("latchkey", "latchkey/internal/web"), notMay},
		"a room that knows another":          {"internal/jobs/a.go", imports("jobs", "latchkey/internal/auth"), notMay},
		"link reaching for the vault":        {"internal/link/a.go", imports("link", "latchkey/internal/vault"), notMay},
		"a door through a door":              {"internal/api/a.go", imports("api", "latchkey/internal/hosted"), door},
		"a room through a door":              {"internal/link/a.go", imports("link", "latchkey/internal/proxy"), door},
		"a command through a door":           {"cmd/latchkey/a.go", imports("main", "latchkey/internal/dash"), door},
		"a room with its own store":          {"internal/link/a.go", imports("link", "latchkey/internal/store"), appOnly},
		"a room with its own way out":        {"internal/webhook/a.go", imports("webhook", "latchkey/internal/egress"), appOnly},
		"a test with its own store":          {"internal/link/a_test.go", imports("link_test", "latchkey/internal/store"), appOnly},
		"a door that lists providers":        {"internal/hosted/a.go", imports("hosted", "latchkey/internal/connector/all"), appOnly},
		"a second reader of the seal":        {"internal/proxy/a.go", imports("proxy", "latchkey/internal/vault/seal"), sealed},
		"api opening the vault":              {"internal/api/a.go", imports("api", "latchkey/internal/vault"), noVault},
		"hosted opening the vault":           {"internal/hosted/a.go", imports("hosted", "latchkey/internal/vault"), noVault},
		"the reference knowing a room":       {"internal/reference/a.go", imports("reference", "latchkey/internal/link"), notMay},
		"the reference knowing the API":      {"internal/reference/a.go", imports("reference", "latchkey/internal/api"), door},
		"dash opening the vault":             {"internal/dash/a.go", imports("dash", "latchkey/internal/vault"), noVault},
		"a provider on a provider":           {"internal/connector/acme/a.go", imports("acme", "latchkey/internal/connector/sandbox"), providers},
		"a room that names a provider":       {"internal/link/a.go", imports("link", "latchkey/internal/connector/acme"), notMay},
		"a room that speaks SQL":             {"internal/link/a.go", imports("link", "database/sql"), database},
		"a room with SQLite":                 {"internal/vault/a.go", imports("vault", "modernc.org/sqlite"), database},
		"a room with PostgreSQL":             {"internal/app/a.go", imports("app", "github.com/jackc/pgx/v5/pgxpool"), database},
		"a room with a template":             {"internal/api/a.go", imports("api", "html/template"), html},
		"testing in the product":             {"internal/jobs/a.go", imports("jobs", "testing"), untested},
		"synctest in the product":            {"internal/jobs/a.go", imports("jobs", "testing/synctest"), untested},
		"the old JSON":                       {"internal/api/a.go", imports("api", "encoding/json"), jsonV2},
		"guessable randomness":               {"internal/auth/a.go", imports("auth", "math/rand/v2"), random},
		"the old log":                        {"internal/web/a.go", imports("web", "log"), logs},
		"a product that imports a test room": {"internal/app/a.go", imports("app", "latchkey/internal/latchtest"), notMay},
		"a test that builds the app itself":  {"internal/api/a_test.go", imports("api_test", "latchkey/internal/app"), notMay},
		"a client library with a module":     {"sdk/go/a.go", imports("latchkey", "golang.org/x/time/rate"), alone},
		"a client library that looks inside": {"sdk/go/a.go", imports("latchkey", "latchkey"), notMay},
		"an app that calls itself":           {"internal/app/a.go", imports("app", "latchkey/sdk/go"), itself},
		"a black box that looks inside":      {"conformance/a_test.go", imports("conformance_test", "latchkey"), notMay},
	} {
		t.Run(name+" is caught", func(t *testing.T) {
			expectBreach(t, checkPlan(plant(t, p)), p.rule)
		})
	}
}

func TestPlanAllows(t *testing.T) {
	for name, p := range map[string]planted{
		"the words in a room":              {file: "internal/web/a.go", text: imports("web", "latchkey")},
		"a command that starts the app":    {file: "cmd/latchkey/main.go", text: imports("main", "latchkey/internal/app")},
		"an app that knows the house":      {file: "internal/app/a.go", text: imports("app", "latchkey/internal/store", "latchkey/internal/egress", "latchkey/internal/connector/all", "latchkey/internal/vault/seal", "latchkey/internal/api")},
		"a provider on an engine":          {file: "internal/connector/acme/a.go", text: imports("acme", "latchkey/internal/connector", "latchkey/internal/connector/oauth2")},
		"the list of providers":            {file: "internal/connector/all/all.go", text: imports("all", "latchkey/internal/connector/acme", "latchkey/internal/connector/sandbox")},
		"a provider's own test":            {file: "internal/connector/acme/a_test.go", text: imports("acme_test", "testing", "latchkey/internal/connector/acme", "latchkey/internal/connector/connectortest")},
		"a store with drivers":             {file: "internal/store/a.go", text: imports("store", "database/sql", "modernc.org/sqlite", "github.com/jackc/pgx/v5")},
		"a test of the whole house":        {file: "internal/link/a_test.go", text: imports("link_test", "testing", "latchkey/internal/link", "latchkey/internal/latchtest")},
		"old JSON and chance in a test":    {file: "internal/api/a_test.go", text: imports("api_test", "encoding/json", "math/rand/v2", "latchkey/internal/api")},
		"testing in a package for tests":   {file: "internal/store/storetest/a.go", text: imports("storetest", "testing", "latchkey/internal/store", "latchkey/internal/latchtest/pgtest")},
		"a client library":                 {file: "sdk/go/a.go", text: imports("latchkey", "encoding/json", "net/http")},
		"an example of a client library":   {file: "docs/examples/go/main.go", text: imports("main", "latchkey/sdk/go")},
		"pages":                            {file: "internal/hosted/a.go", text: imports("hosted", "html/template")},
		"the page of the reference":        {file: "internal/reference/a.go", text: imports("reference", "html/template", "go.yaml.in/yaml/v3", "latchkey/internal/web")},
		"a fixture that breaks every rule": {file: "internal/web/testdata/a.go", text: imports("util", "testing")},
	} {
		t.Run(name+" passes", func(t *testing.T) {
			for _, breach := range checkPlan(plant(t, p)) {
				t.Error(breach)
			}
		})
	}
}

func TestForbiddenCallsAreCaught(t *testing.T) {
	const (
		handedOut = "clients are handed out by egress"
		dialled   = "connections are dialled by egress"
		prints    = "only commands print"
		exits     = "only commands end the process"
		sleeps    = "a test waits for a signal or in synctest, never by sleeping"
		verified  = "certificates are always verified"
		rewrite   = "a reverse proxy uses Rewrite: with Director a caller can strip the credential"
		skipped   = "a test passes or fails, it is never skipped"
	)
	for name, p := range map[string]planted{
		"the default client":         {"internal/link/a.go", body("link", "net/http", "_ = http.DefaultClient"), handedOut},
		"the default transport":      {"internal/link/a.go", body("link", "net/http", "_ = http.DefaultTransport"), handedOut},
		"a transport of one's own":   {"internal/proxy/a.go", body("proxy", "net/http", "_ = http.Transport{}"), handedOut},
		"http.Get":                   {"internal/link/a.go", body("link", "net/http", `_, _ = http.Get("")`), handedOut},
		"http.Get by another name":   {"internal/link/a.go", body("link", `web "net/http"`, `_, _ = web.Get("")`), handedOut},
		"http.Get in a library":      {"sdk/go/a.go", body("latchkey", "net/http", `_, _ = http.Get("")`), handedOut},
		"a client with no transport": {"internal/link/a.go", body("link", "net/http", "_ = &http.Client{Jar: nil}"), handedOut},
		"net.Dial":                   {"internal/jobs/a.go", body("jobs", "net", `_, _ = net.Dial("", "")`), dialled},
		"net.Dialer":                 {"internal/jobs/a.go", body("jobs", "net", `_ = net.Dialer{}`), dialled},
		"net.LookupHost":             {"internal/jobs/a.go", body("jobs", "net", `_, _ = net.LookupHost("")`), dialled},
		"tls.Dial":                   {"internal/jobs/a.go", body("jobs", "crypto/tls", `_, _ = tls.Dial("", "", nil)`), dialled},
		"a print":                    {"internal/jobs/a.go", body("jobs", "fmt", `fmt.Println()`), prints},
		"an exit":                    {"internal/app/a.go", body("app", "os", `os.Exit(1)`), exits},
		"a sleeping test":            {"internal/jobs/a_test.go", body("jobs_test", "time", `time.Sleep(1)`), sleeps},
		"an unverified certificate":  {"internal/egress/a.go", body("egress", "crypto/tls", `_ = tls.Config{InsecureSkipVerify: true}`), verified},
		"one unverified in a test":   {"internal/egress/a_test.go", body("egress_test", "crypto/tls", `var c tls.Config; c.InsecureSkipVerify = true`), verified},
		"a Director":                 {"internal/proxy/a.go", body("proxy", "net/http/httputil", `_ = httputil.ReverseProxy{Director: nil}`), rewrite},
	} {
		t.Run(name+" is caught", func(t *testing.T) {
			expectBreach(t, checkCalls(plant(t, p)), p.rule)
		})
	}
	for _, name := range forbiddenExits {
		t.Run(name+" in a test is caught", func(t *testing.T) {
			text := "package jobs_test\nimport \"testing\"\nfunc TestA(t *testing.T) { t." + name + "() }"
			expectBreach(t, checkCalls(plant(t, planted{file: "internal/jobs/a_test.go", text: text})), skipped)
		})
	}
	for name, p := range map[string]planted{
		"a dialer in egress":          {file: "internal/egress/a.go", text: body("egress", "net", `_ = net.Dialer{}`)},
		"a client with its transport": {file: "internal/link/a.go", text: body("link", "net/http", "var given http.RoundTripper; _ = http.Client{Transport: given}")},
		"a client library's client":   {file: "sdk/go/a.go", text: body("latchkey", "net/http", "_ = http.Client{Timeout: 1}")},
		"a print of an example":       {file: "docs/examples/go/main.go", text: body("main", "fmt", `fmt.Println()`)},
		"http.Get in a test":          {file: "internal/api/a_test.go", text: body("api_test", "net/http", `_, _ = http.Get("")`)},
		"a print of a command":        {file: "cmd/latchkey/a.go", text: body("main", "fmt", `fmt.Println()`)},
		"a black box that asks":       {file: "conformance/a.go", text: body("main", "net/http", "_ = http.Client{Transport: &http.Transport{}}")},
		"a black box that ends":       {file: "conformance/a.go", text: body("main", "os", "os.Exit(1)")},
		"a sleep under a fake clock":  {file: "internal/jobs/a_test.go", text: "package jobs_test\nimport (\"testing/synctest\"; \"time\")\nfunc a() { synctest.Wait(); time.Sleep(1) }"},
		"a header named Get":          {file: "internal/link/a.go", text: "package link\nimport \"net/http\"\nfunc a(h http.Header) string { return h.Get(\"\") }"},
	} {
		t.Run(name+" passes", func(t *testing.T) {
			for _, breach := range checkCalls(plant(t, p)) {
				t.Error(breach)
			}
		})
	}
}

// plant writes the file into an empty tree and reads that tree.
func plant(t *testing.T, p planted) []goFile {
	t.Helper()
	root := t.TempDir()
	write(t, root, p.file, p.text)
	return readGo(t, root)
}

// imports returns a file of the package that imports the paths.
func imports(name string, paths ...string) string {
	var text strings.Builder
	text.WriteString("package " + name + "\n")
	for _, p := range paths {
		text.WriteString("import _ \"" + p + "\"\n")
	}
	return text.String()
}

// body returns a file of the package with one import and one function.
func body(name, target, statements string) string {
	if !strings.Contains(target, `"`) {
		target = `"` + target + `"`
	}
	return "package " + name + "\nimport " + target + "\nfunc a() { " + statements + " }\n"
}

// expectBreach fails unless the rule is among the findings.
func expectBreach(t *testing.T, findings []finding, rule string) {
	t.Helper()
	for _, breach := range findings {
		if breach.rule == rule {
			return
		}
	}
	t.Errorf("not caught by %q; findings: %v", rule, findings)
}
