package latchkey_test

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "latchkey"

// anything in the plan lets a room import every room that is not above it.
const anything = "*"

// provider stands in the plan for every folder of connector/ that is not
// listed by its own name.
const provider = "connector/<provider>"

// plan says which packages of the house a package may import. Rooms are named
// by their folder below internal/; "latchkey" is the root. A package that is
// not here is refused: a new room is a decision, written down in docs/adr.
var plan = map[string][]string{
	"latchkey": {}, // the words

	"web":     {"latchkey"},
	"jobs":    {"latchkey"},
	"journal": {"latchkey"},
	"egress":  {"latchkey"},
	"auth":    {"latchkey", "recent"},
	"recent":  {}, // what rooms remember for a moment

	"store":            {"latchkey", "store/migrations", "store/dump"},
	"store/dump":       {}, // the file of a backup
	"store/migrations": {},

	"connector":               {"latchkey"},
	"connector/oauth2":        {"latchkey", "connector"},
	"connector/recipe":        {"latchkey", "connector"},
	"connector/jsonapi":       {"latchkey", "connector"},
	"connector/catalogue":     {"latchkey", "connector", "connector/oauth2"},
	provider:                  {"latchkey", "connector", "connector/oauth2", "connector/recipe", "connector/jsonapi"},
	"connector/all":           {"latchkey", "connector", "connector/oauth2", "connector/recipe", provider},
	"vault/seal":              {"latchkey"},
	"vault":                   {"latchkey", "connector", "vault/seal"},
	"link":                    {"latchkey", "connector", "recent"}, // it is handed one sealing function
	"webhook":                 {"latchkey", "jobs"},
	"account":                 {"latchkey"},
	"api":                     {"latchkey", "web", "auth", "account", "link", "webhook"},
	"dash":                    {"latchkey", "web", "auth", "link", "webhook"},
	"hosted":                  {"latchkey", "web", "link"},
	"demo":                    {"latchkey", "web", "sdk/go"}, // an app: it knows the wire only
	"proxy":                   {"latchkey", "web", "auth", "vault", "connector"},
	"reference":               {"latchkey", "web"},
	"tape":                    {}, // it knows HTTP only
	"app":                     {anything},
	"cmd/latchkey":            {"latchkey", "app"},
	"conformance":             {}, // black box: it knows the wire only
	"bench":                   {"latchkey", "connector", "app", "latchtest/pgtest"},
	"connector/connectortest": {"latchkey", "connector"},
	"store/storetest":         {"latchkey", "store"},

	"latchtest":               {anything},
	"latchtest/pgtest":        {},
	"latchtest/scaletest":     {}, // how far a test goes
	"latchtest/replicatest":   {anything},
	"latchtest/glewlwydtest":  {},
	"latchtest/mediawikitest": {},
	"latchtest/hostiletest":   {"latchkey", "connector", "connector/oauth2", "egress"},
	"latchtest/oidcpeertest":  {"latchkey", "connector", "connector/oauth2", "connector/connectortest"},
	"latchtest/shottest":      {},
	"latchtest/atprototest":   {}, // peers: they know the wire only
	"latchtest/matrixtest":    {},
	"latchtest/e2etest":       {anything},
	"latchtest/embedtest":     {"latchkey", "connector", "latchtest", "latchtest/shottest"},
	"latchtest/tenanttest":    {anything},
	"latchtest/guardtest":     {anything},
	"latchtest/browsertest":   {anything},
	"latchtest/killtest":      {"app", "egress", "latchtest/pgtest", "latchtest/scaletest", "latchtest/sinktest"},
	"latchtest/backuptest":    {"latchtest/pgtest", "latchtest/scaletest", "store/migrations"},
	"latchtest/soaktest":      {"latchtest/pgtest"},
	"latchtest/lifetest":      {anything},
	"latchtest/sdktest":       {"latchtest", "latchtest/shottest"},
	"latchtest/sinktest":      {}, // a receiver: it knows the wire only
	"latchtest/hooktest":      {anything},
	"latchtest/spectest":      {}, // black box: it knows the description only
	"latchtest/exittest":      {}, // a proxy: it knows no room
	"latchtest/simtest": { // the rooms, put together as app does
		"latchkey", "auth", "connector", "jobs", "link", "proxy", "store", "vault", "vault/seal", "web", "webhook",
	},

	"latchtest/fronttest": {}, // peers: they know HTTP only
	"latchtest/leaktest":  {"latchkey", "connector", "connector/oauth2", "connector/recipe"},

	"latchtest/conformancetest": {"latchtest/pgtest"}, // binaries only, as a stranger would

	"sdk/go":             {}, // a client: it knows the wire only
	"docs/examples/go":   {"sdk/go"},
	"docs/examples/site": {}, // a provider: it knows nothing of us
}

// The doors: where requests come in.
var doors = []string{"api", "dash", "hosted", "proxy", "reference"}

// builders are the only rooms that know the whole house.
var builders = []string{
	"app", "latchtest", "latchtest/e2etest", "latchtest/guardtest", "latchtest/browsertest", "latchtest/tenanttest",
	"latchtest/killtest",    // its quick server is the whole app
	"latchtest/hooktest",    // it moves events as quickly as the rooms can
	"latchtest/replicatest", // several replicas and their database
	"latchtest/hostiletest", // the real way out against hostile servers
	"latchtest/simtest",     // the rooms in a world of its own
}

// finding is one breach of the house's rules.
type finding struct{ rule, where string }

func (f finding) String() string { return f.rule + ": " + f.where }

// edge is one import, seen from the room that has it.
type edge struct {
	file   goFile
	room   string // of the importing file
	target string // import path
	inner  string // the room imported; "" for another module
	where  string
}

// isTest reports whether the import is only made by go test.
func (e edge) isTest() bool { return e.file.isTest() }

func TestPlan(t *testing.T) {
	t.Run("the tree keeps to the plan", func(t *testing.T) {
		for _, breach := range checkPlan(readGo(t, ".")) {
			t.Error(breach)
		}
	})
}

// checkPlan returns every breach of the plan in the files.
func checkPlan(files []goFile) []finding {
	var findings []finding
	for _, file := range files {
		findings = append(findings, checkPlace(file)...)
		for _, spec := range file.syntax.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				findings = append(findings, finding{"an import path is unreadable", file.at(spec)})
				continue
			}
			e := edge{file: file, room: roomOfFolder(file.folder()), target: target, inner: roomOfImport(target)}
			e.where = fmt.Sprintf("%s: %s imports %s", file.at(spec), e.room, cmp.Or(e.inner, target))
			for _, rule := range planRules {
				if rule.broken(e) {
					findings = append(findings, finding{rule.name, e.where})
				}
			}
		}
	}
	return findings
}

// planRules are the rules about a single import. Those after the first hold
// even where someone has widened the plan.
var planRules = []struct {
	name   string
	broken func(edge) bool
}{
	{"the plan does not allow the import", func(e edge) bool {
		// A test that starts the whole app may bring a provider of its own.
		ownProvider := e.isTest() && e.inner == "connector"
		return e.inner != "" && !planned(e) && !ownProvider
	}},
	{"a door is imported", func(e edge) bool { return slices.Contains(doors, e.inner) && !isBuilder(e) }},
	{"only app imports store, egress and connector/all", func(e edge) bool {
		suite := e.inner == "store" && e.room == "store/storetest"
		return slices.Contains([]string{"store", "egress", "connector/all"}, e.inner) && !isBuilder(e) && !suite
	}},
	{"only vault imports vault/seal", func(e edge) bool { return e.inner == "vault/seal" && e.room != "vault" && !isBuilder(e) }},
	{"a door other than proxy imports vault", func(e edge) bool {
		return e.inner == "vault" && slices.Contains([]string{"api", "hosted", "dash"}, e.room)
	}},
	{"a provider imports a provider", func(e edge) bool {
		return isProvider(e.room) && isProvider(e.inner) && e.room != e.inner
	}},
	{"only store knows a database", func(e edge) bool {
		return isDatabase(e.target) && !slices.Contains([]string{"store", "store/storetest", "latchtest/pgtest", "latchtest/killtest", "latchtest/soaktest", "latchtest/lifetest", "latchtest/backuptest", "latchtest/simtest", "bench"}, e.room)
	}},
	{"only web, hosted, dash and reference write HTML", func(e edge) bool {
		return e.target == "html/template" && !slices.Contains([]string{"web", "hosted", "dash", "reference", "demo"}, e.room)
	}},
	{"only tests import testing", func(e edge) bool { return isBelow(e.target, "testing") && !e.isTest() }},
	{"JSON is go-json-experiment's", func(e edge) bool {
		return isBelow(e.target, "encoding/json") && !e.isTest() && !isClient(e.room)
	}},
	{"a client library needs the standard library alone", func(e edge) bool {
		return isBelow(e.room, "sdk") && !e.isTest() && strings.Contains(strings.Split(e.target, "/")[0], ".")
	}},
	{"the house does not call itself through a client library", func(e edge) bool {
		return isBelow(e.inner, "sdk") && !isClient(e.room) && e.room != "demo" // an app beside the house
	}},
	{"logging is log/slog's", func(e edge) bool { return e.target == "log" && !e.isTest() }},
	{"randomness is crypto/rand's", func(e edge) bool { return isBelow(e.target, "math/rand") && !e.isTest() }},
}

// checkPlace judges where a file stands: its room must be on the plan and no
// package may have a name that says nothing.
func checkPlace(file goFile) []finding {
	var findings []finding
	room := roomOfFolder(file.folder())
	if _, ok := plan[planName(room)]; !ok {
		findings = append(findings, finding{"the package is not on the plan", file.path + ": " + room})
	}
	name := strings.TrimSuffix(file.syntax.Name.Name, "_test")
	for _, empty := range []string{"util", "utils", "common", "helper", "helpers", "types", "models"} {
		if name == empty || path.Base(file.folder()) == empty {
			findings = append(findings, finding{"the package's name says nothing", file.path + ": " + empty})
		}
	}
	return findings
}

// planned reports whether the plan allows the import. A test may also import
// its own package and packages whose names end in "test": those bring the real
// store, the real app or a real peer.
func planned(e edge) bool {
	if isProvider(e.inner) && e.room != "connector/all" && !isBuilder(e) {
		return e.room == e.inner && e.isTest()
	}
	allowed := plan[planName(e.room)]
	if slices.Contains(allowed, planName(e.inner)) {
		return true
	}
	if e.isTest() && (e.inner == e.room || isTestRoom(e.inner)) {
		return true
	}
	above := slices.Contains([]string{"cmd/latchkey", "conformance", "bench"}, e.inner) || isTestRoom(e.inner) || isClient(e.inner)
	return slices.Contains(allowed, anything) && !above
}

// isBuilder reports whether the import is made by a room that puts the house
// together, or by a package's own test.
func isBuilder(e edge) bool {
	return slices.Contains(builders, e.room) || e.room == e.inner && e.isTest()
}

// isClient reports whether the room is a client library or an example of its
// use: what an app's own backend is made of.
func isClient(room string) bool { return isBelow(room, "sdk") || isBelow(room, "docs/examples") }

// isProvider reports whether the room is a provider's folder.
func isProvider(room string) bool { return planName(room) == provider }

// isDatabase reports whether the import path is a driver's, or what speaks to
// one.
func isDatabase(target string) bool {
	return slices.ContainsFunc([]string{"database/sql", "modernc.org/sqlite", "github.com/jackc/pgx", "github.com/pressly/goose"},
		func(known string) bool { return isBelow(target, known) })
}

// isBelow reports whether the import path is that package or in its folder.
func isBelow(target, parent string) bool {
	return target == parent || strings.HasPrefix(target, parent+"/")
}

// planName returns the name under which a room stands in the plan.
func planName(room string) string {
	if _, listed := plan[room]; listed {
		return room
	}
	if rest, ok := strings.CutPrefix(room, "connector/"); ok && !strings.Contains(rest, "/") {
		return provider
	}
	return room
}

// roomOfFolder returns the room a folder of the tree holds.
func roomOfFolder(folder string) string {
	if folder == "." {
		return module
	}
	return strings.TrimPrefix(folder, "internal/")
}

// roomOfImport returns the room of an import path, "" for another module's.
func roomOfImport(target string) string {
	if target == module {
		return module
	}
	if folder, ok := strings.CutPrefix(target, module+"/"); ok {
		return roomOfFolder(folder)
	}
	return ""
}
