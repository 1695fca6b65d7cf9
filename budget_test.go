package latchkey_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The budgets of the house, taken from the best codebases of the field.
const (
	fileMedian       = 150 // lines
	fileP95          = 500 // lines
	fileLongest      = 800 // lines
	functionP95      = 60  // lines
	interfaceLargest = 8   // methods
	packageDoc       = 100 // percent
	exportedDoc      = 95  // percent
	directModules    = 18  // of the product; what only tests use does not count
)

// How many lines of tests there are for 100 lines of code.
const (
	testsLeast   = 60
	testsMost    = 160
	testsCountAt = 6000 // lines of code; a smaller tree is still being furnished
)

func TestBudget(t *testing.T) {
	m := measure(readGo(t, "."), requiredModules(t))
	t.Run("files are short", func(t *testing.T) {
		atMost(t, "budget.file-median-lines", percentile(m.files, 50), fileMedian)
		atMost(t, "budget.file-p95-lines", percentile(m.files, 95), fileP95)
		atMost(t, "budget.file-longest-lines", percentile(m.files, 100), fileLongest, over(m.files, fileLongest)...)
	})
	t.Run("functions are short", func(t *testing.T) {
		atMost(t, "budget.function-p95-lines", percentile(m.functions, 95), functionP95, over(m.functions, functionP95)...)
	})
	t.Run("interfaces are small", func(t *testing.T) {
		atMost(t, "budget.interface-largest-methods", percentile(m.interfaces, 100), interfaceLargest, over(m.interfaces, interfaceLargest)...)
	})
	t.Run("packages and exported names are documented", func(t *testing.T) {
		lacking, percent := without(m.packages)
		atLeast(t, "budget.package-doc-percent", percent, packageDoc, lacking...)
		lacking, percent = without(m.exported)
		atLeast(t, "budget.exported-doc-percent", percent, exportedDoc, lacking...)
	})
	t.Run("few modules are depended on", func(t *testing.T) {
		used := slices.Sorted(maps.Keys(m.modules))
		atMost(t, "budget.direct-modules", len(used), directModules, used...)
	})
	t.Run("there is about as much test as code", func(t *testing.T) {
		per100 := 100 * m.testLines / max(1, m.codeLines)
		if m.codeLines < testsCountAt {
			fmt.Printf("RESULT budget.tests-per-100-lines %d (%d lines of code, judged from %d)\n", per100, m.codeLines, testsCountAt)
			return
		}
		atLeast(t, "budget.tests-per-100-lines", per100, testsLeast)
		atMost(t, "budget.tests-per-100-lines", per100, testsMost)
	})
}

func TestTidiness(t *testing.T) {
	t.Run("nothing is left to do and no path of a developer's machine is left in", func(t *testing.T) {
		for _, breach := range checkTexts(t, ".") {
			t.Error(breach)
		}
	})
}

// leftovers are what may not stand in any text of the project. Fixtures below
// testdata may quote them, as attack lists do.
var leftovers = []struct {
	rule    string
	pattern *regexp.Regexp
}{
	{"a note of unfinished work", regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)},
	{"an absolute path of a developer's machine", regexp.MustCompile(`(^|[^A-Za-z0-9_.<>*)}-])/(work|home|Users)/[A-Za-z0-9]`)},
}

// checkTexts returns every leftover in the texts below root. Checksums and
// binary files are not texts.
func checkTexts(t *testing.T, root string) []finding {
	t.Helper()
	var findings []finding
	walkTree(t, root, func(name string, entry fs.DirEntry) {
		base := path.Base(name)
		if !entry.Type().IsRegular() || strings.Contains("/"+name, "/testdata/") || base == "go.sum" || base == "package-lock.json" {
			return
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if os.IsNotExist(err) { // a temporary file that came and went
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			return
		}
		number := 0
		for line := range bytes.Lines(text) {
			number++
			for _, leftover := range leftovers {
				if leftover.pattern.Match(line) {
					findings = append(findings, finding{leftover.rule, fmt.Sprintf("%s:%d", name, number)})
				}
			}
		}
	})
	return findings
}

// requiredModules returns the modules that go.mod requires.
func requiredModules(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var modules []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) >= 2 && strings.HasPrefix(fields[1], "v") {
			modules = append(modules, fields[0])
		}
	}
	return modules
}

// atMost prints the figure and fails when it exceeds the limit, naming the
// places at fault.
func atMost(t *testing.T, name string, figure, limit int, places ...string) {
	t.Helper()
	fmt.Printf("RESULT %s %d %d\n", name, figure, limit)
	if figure > limit {
		t.Errorf("%s is %d, want at most %d\n%s", name, figure, limit, strings.Join(places, "\n"))
	}
}

// atLeast prints the figure and fails when it falls short of the limit, naming
// the places at fault.
func atLeast(t *testing.T, name string, figure, limit int, places ...string) {
	t.Helper()
	fmt.Printf("RESULT %s %d %d\n", name, figure, limit)
	if figure < limit {
		t.Errorf("%s is %d, want at least %d\n%s", name, figure, limit, strings.Join(places, "\n"))
	}
}
