package all_test

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"latchkey/internal/connector/all"
)

// notProviders are the folders beside the providers.
var notProviders = []string{"all", "connectortest", "recipe", "oauth2", "jsonapi", "catalogue"}

func TestEveryProviderIsListedAndComplete(t *testing.T) {
	for _, fault := range faults(os.DirFS(".."), listed(t)) {
		t.Error(fault)
	}
}

func TestAFaultyFolderIsFound(t *testing.T) {
	whole := fstest.MapFS{}
	for _, name := range []string{"acme.go", "acme_test.go", "logo.svg", "acme.md"} {
		whole["acme/"+name] = &fstest.MapFile{Data: []byte("x")}
	}
	without := func(name string) fstest.MapFS {
		tree := fstest.MapFS{}
		for path, file := range whole {
			if path != "acme/"+name {
				tree[path] = file
			}
		}
		return tree
	}
	t.Run("a complete and listed folder passes", func(t *testing.T) {
		if found := faults(whole, []string{"acme"}); len(found) > 0 {
			t.Errorf("found %v", found)
		}
	})
	t.Run("an unlisted folder is found", func(t *testing.T) {
		if len(faults(whole, nil)) != 1 {
			t.Error("it was not")
		}
	})
	t.Run("a listed provider without a folder is found", func(t *testing.T) {
		if len(faults(whole, []string{"acme", "ghost"})) != 1 {
			t.Error("it was not")
		}
	})
	for _, name := range []string{"acme.go", "acme_test.go", "logo.svg", "acme.md"} {
		t.Run("a folder without "+name+" is found", func(t *testing.T) {
			if len(faults(without(name), []string{"acme"})) != 1 {
				t.Error("it was not")
			}
		})
	}
}

func TestTheListNamesEachProviderOnce(t *testing.T) {
	names := listed(t)
	slices.Sort(names)
	if unique := slices.Compact(slices.Clone(names)); len(unique) != len(names) {
		t.Errorf("an id is listed twice: %v", names)
	}
}

// listed returns the ids on the list.
func listed(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, provider := range all.Connectors(time.Now) {
		names = append(names, provider.Describe().ID)
	}
	if len(names) == 0 {
		t.Fatal("the list is empty")
	}
	return names
}

// faults compares the folders of a tree with a list of ids.
func faults(tree fs.FS, names []string) []string {
	var found []string
	entries, err := fs.ReadDir(tree, ".")
	if err != nil {
		return []string{err.Error()}
	}
	var folders []string
	for _, entry := range entries {
		folder := entry.Name()
		if !entry.IsDir() || slices.Contains(notProviders, folder) {
			continue
		}
		folders = append(folders, folder)
		if !slices.Contains(names, folder) {
			found = append(found, fmt.Sprintf("folder %s is not on the list", folder))
		}
		for _, name := range []string{folder + ".go", folder + "_test.go", "logo.svg", folder + ".md"} {
			if info, err := fs.Stat(tree, folder+"/"+name); err != nil || info.Size() == 0 {
				found = append(found, fmt.Sprintf("folder %s lacks %s", folder, name))
			}
		}
	}
	for _, name := range names {
		if !slices.Contains(folders, name) {
			found = append(found, fmt.Sprintf("provider %s has no folder of its name", name))
		}
	}
	return found
}
