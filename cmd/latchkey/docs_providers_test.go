package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"latchkey/internal/app"
)

// update writes the generated tables into the document:
// go test ./cmd/latchkey -run TestTheTablesOfTheCatalogue -update
var update = flag.Bool("update", false, "write the generated tables into docs/providers.md")

// tables returns the generated parts of docs/providers.md, by their names.
func tables() map[string]string {
	var providers, permissions strings.Builder
	providers.WriteString("| id | provider | permissions |\n|---|---|---|\n")
	for _, provider := range app.CataloguedProviders() {
		fmt.Fprintf(&providers, "| `%s` | [%s](%s) | %s |\n", provider.ID, provider.Name, provider.Documentation, strings.Join(provider.Permissions, ", "))
	}
	permissions.WriteString("| permission | what it opens |\n|---|---|\n")
	for _, permission := range app.PermissionNames() {
		fmt.Fprintf(&permissions, "| `%s` | %s |\n", permission.Name, permission.Meaning)
	}
	return map[string]string{"providers": providers.String(), "permissions": permissions.String()}
}

func TestTheTablesOfTheCatalogue(t *testing.T) {
	path := filepath.Join(root, "docs", "providers.md")
	text := documents(t)[path]
	for name, table := range tables() {
		before, rest, begun := strings.Cut(text, "<!-- "+name+" -->\n")
		stands, after, ended := strings.Cut(rest, "<!-- end -->")
		if !begun || !ended {
			t.Fatalf("the table of %s is gone", name)
		}
		if stands != table && !*update {
			t.Errorf("the table of %s is not the catalogue's; run this test with -update", name)
		}
		text = before + "<!-- " + name + " -->\n" + table + "<!-- end -->" + after
	}
	if count := fmt.Sprintf("| %d OAuth providers |", len(app.CataloguedProviders())); !strings.Contains(text, count) {
		t.Errorf("the document does not say %s", count)
	}
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// What the document shows of a provider of one's own stands in the example,
// which is tested against a real server; what it shows of a configuration can
// be read.
func TestTheQuotesOfTheProviders(t *testing.T) {
	example, err := os.ReadFile(filepath.Join(root, "docs", "examples", "openid.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Split(string(example), "\n")
	quoted, configured := 0, 0
	for _, block := range blocks(documents(t)[filepath.Join(root, "docs", "providers.md")], "```yaml\n") {
		switch {
		case strings.HasPrefix(block, "id: "):
			quoted++
			for line := range strings.Lines(block) {
				if line = strings.TrimRight(line, "\n"); !slices.Contains(known, line) {
					t.Errorf("%q is not in the example", line)
				}
			}
		case strings.HasPrefix(block, "providers:"):
			file := filepath.Join(t.TempDir(), "providers.yaml")
			if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
				t.Fatal(err)
			}
			if read, err := app.ReadProviders(file); err != nil || len(read) == 0 || read[0].ClientID == "" {
				t.Errorf("%v: %s", err, block)
			}
			configured++
		}
	}
	if quoted != 1 || configured != 2 {
		t.Errorf("%d quotes and %d configurations", quoted, configured)
	}
}
