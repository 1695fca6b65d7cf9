package latchkey_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// goFile is a Go file of the tree, parsed.
type goFile struct {
	path   string // from the root of the tree, with slashes
	text   []byte
	set    *token.FileSet
	syntax *ast.File
}

// folder returns the folder of the file, "." for the root.
func (f goFile) folder() string { return path.Dir(f.path) }

// isTest reports whether the file is only built by go test, or belongs to a
// package that exists for tests: one whose name ends in "test".
func (f goFile) isTest() bool {
	return strings.HasSuffix(f.path, "_test.go") || isTestRoom(f.folder())
}

func (f goFile) lines() int { return f.set.File(f.syntax.Pos()).LineCount() }

// at returns where the node stands, for a finding.
func (f goFile) at(node ast.Node) string {
	return f.set.Position(node.Pos()).String()
}

// isTestRoom reports whether a folder's or package's name ends in "test".
func isTestRoom(name string) bool { return strings.HasSuffix(name, "test") }

// walkTree calls visit with every file below root that belongs to the project.
// It leaves out what is made or fetched (see .gitignore) and hidden folders
// except .ci.
func walkTree(t testing.TB, root string, visit func(name string, entry fs.DirEntry)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			if os.IsNotExist(err) { // a temporary file that came and went
				return nil
			}
			return err
		}
		if !entry.IsDir() {
			visit(name, entry)
			return nil
		}
		switch base := entry.Name(); {
		case name == ".", base == ".ci":
			return nil
		case name == "bin", name == "latchkey-data", base == "node_modules", strings.HasPrefix(base, "."):
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// readGo parses the Go files below root with their comments. The import graph
// is read from here, not from `go list`, whose answer the test cache does not
// know to be stale. Folders named testdata and nested modules (tools/) are not
// part of the house.
func readGo(t testing.TB, root string) []goFile {
	t.Helper()
	var files []goFile
	walkTree(t, root, func(name string, entry fs.DirEntry) {
		if path.Ext(name) != ".go" || strings.HasPrefix(entry.Name(), "_") || isForeign(root, path.Dir(name)) {
			return
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if os.IsNotExist(err) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		syntax, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if !ast.IsGenerated(syntax) {
			files = append(files, goFile{path: name, text: text, set: set, syntax: syntax})
		}
	})
	return files
}

// isForeign reports whether a folder is below a testdata folder or a go.mod of
// its own.
func isForeign(root, folder string) bool {
	for ; folder != "."; folder = path.Dir(folder) {
		if path.Base(folder) == "testdata" {
			return true
		}
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(folder), "go.mod")); err == nil {
			return true
		}
	}
	return false
}
