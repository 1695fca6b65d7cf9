package latchkey_test

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// forbiddenCalls are names of other packages that the house does without. The
// linter forbids the same, but takes minutes to build: these rules hold in
// every run of the tests.
var forbiddenCalls = []struct {
	rule    string
	target  string // import path
	name    *regexp.Regexp
	applies func(goFile) bool
}{
	{
		"clients are handed out by egress", "net/http",
		regexp.MustCompile(`^(DefaultClient|DefaultTransport|Transport|Get|Post|PostForm|Head)$`), outsideEgress,
	},
	{"connections are dialled by egress", "net", regexp.MustCompile(`^(Dial|Lookup|Resolver$|DefaultResolver$)`), outsideEgress},
	{"connections are dialled by egress", "crypto/tls", regexp.MustCompile(`^(Dial|Client$)`), outsideEgress},
	{"only commands print", "fmt", regexp.MustCompile(`^Print`), outsideCommands},
	{"only commands end the process", "os", regexp.MustCompile(`^Exit$`), outsideCommands},
	{"a test waits for a signal or in synctest, never by sleeping", "time", regexp.MustCompile(`^Sleep$`), testOnTheWallClock},
}

// forbiddenNames are fields that must not be set anywhere, tests included.
var forbiddenNames = map[string]string{
	"InsecureSkipVerify": "certificates are always verified",
	"Director":           "a reverse proxy uses Rewrite: with Director a caller can strip the credential",
}

// forbiddenExits are the ways in which a test may not pass.
var forbiddenExits = []string{"Skip", "Skipf", "SkipNow"}

// outsideEgress leaves out the black box: it is a client of the server, and has
// no room to be handed anything by.
func outsideEgress(file goFile) bool {
	room := roomOfFolder(file.folder())
	return !file.isTest() && !slices.Contains([]string{"egress", "conformance", "bench"}, room) // the last two drive servers from outside
}

func outsideCommands(file goFile) bool {
	return !file.isTest() && !slices.ContainsFunc([]string{"cmd/", "conformance/", "bench/", "docs/examples/"}, func(folder string) bool {
		return strings.HasPrefix(file.path, folder)
	})
}

// testOnTheWallClock reports whether the file holds tests and none of them
// runs under the fake clock of testing/synctest, where sleeping is exact.
func testOnTheWallClock(file goFile) bool {
	_, fake := importNames(file)["synctest"]
	return strings.HasSuffix(file.path, "_test.go") && !fake
}

func TestForbiddenCalls(t *testing.T) {
	t.Run("nothing forbidden is used", func(t *testing.T) {
		unverified := 0
		for _, breach := range checkCalls(readGo(t, ".")) {
			t.Error(breach)
			if breach.rule == forbiddenNames["InsecureSkipVerify"] {
				unverified++
			}
		}
		fmt.Printf("RESULT E-8.InsecureSkipVerify %d 0\n", unverified)
	})
}

// checkCalls returns every use of something forbidden in the files.
func checkCalls(files []goFile) []finding {
	var findings []finding
	for _, file := range files {
		imports := importNames(file)
		report := func(rule string, node ast.Node, name string) {
			findings = append(findings, finding{rule, file.at(node) + ": " + name})
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.SelectorExpr:
				checkSelector(file, imports, node, report)
			case *ast.KeyValueExpr:
				if key, ok := node.Key.(*ast.Ident); ok && forbiddenNames[key.Name] != "" {
					report(forbiddenNames[key.Name], node, key.Name)
				}
			case *ast.CompositeLit:
				if isBareClient(imports, node) && outsideEgress(file) && !isClient(roomOfFolder(file.folder())) {
					report("clients are handed out by egress", node, "http.Client without a Transport")
				}
			}
			return true
		})
	}
	return findings
}

// checkSelector judges one x.name.
func checkSelector(file goFile, imports map[string]string, node *ast.SelectorExpr, report func(string, ast.Node, string)) {
	name := node.Sel.Name
	if rule := forbiddenNames[name]; rule != "" {
		report(rule, node, name)
	}
	x, ok := node.X.(*ast.Ident)
	if !ok {
		return
	}
	if slices.Contains(forbiddenExits, name) && slices.Contains([]string{"t", "tb", "b", "f"}, x.Name) && file.isTest() {
		report("a test passes or fails, it is never skipped", node, x.Name+"."+name)
	}
	for _, forbidden := range forbiddenCalls {
		if imports[x.Name] == forbidden.target && forbidden.name.MatchString(name) && forbidden.applies(file) {
			report(forbidden.rule, node, x.Name+"."+name)
		}
	}
}

// isBareClient reports whether the literal is an http.Client that would fall
// back to the default transport.
func isBareClient(imports map[string]string, literal *ast.CompositeLit) bool {
	selector, ok := literal.Type.(*ast.SelectorExpr)
	if !ok || selector.Sel.Name != "Client" {
		return false
	}
	x, ok := selector.X.(*ast.Ident)
	if !ok || imports[x.Name] != "net/http" {
		return false
	}
	return !slices.ContainsFunc(literal.Elts, func(element ast.Expr) bool {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		key, ok := pair.Key.(*ast.Ident)
		return ok && key.Name == "Transport"
	})
}

// importNames returns the file's imports by the name they have in it. The name
// of an import without one is taken from its path.
func importNames(file goFile) map[string]string {
	names := make(map[string]string)
	for _, spec := range file.syntax.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // checkPlan reports it
		}
		name := path.Base(target)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = target
	}
	return names
}
