package latchkey_test

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// measures is what the budgets judge a tree by.
type measures struct {
	files      map[string]int  // lines, by path
	functions  map[string]int  // lines, by place
	interfaces map[string]int  // methods, embedded ones included, by place
	packages   map[string]bool // whether it has a doc comment, by folder
	exported   map[string]bool // whether it has a comment, by place
	modules    map[string]bool // that the product imports directly
	codeLines  int
	testLines  int
}

// measure reads the figures off the files. The modules are those of go.mod.
func measure(files []goFile, modules []string) measures {
	m := measures{
		files: map[string]int{}, functions: map[string]int{}, interfaces: map[string]int{},
		packages: map[string]bool{}, exported: map[string]bool{}, modules: map[string]bool{},
	}
	declared := interfacesOf(files)
	for _, file := range files {
		m.files[file.path] = file.lines()
		m.packages[file.folder()] = m.packages[file.folder()] || file.syntax.Doc.Text() != ""
		if file.isTest() {
			m.testLines += file.lines()
		} else {
			m.codeLines += file.lines()
			m.addModules(file, modules)
		}
		for _, declaration := range file.syntax.Decls {
			m.addDeclaration(file, declaration)
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			if literal, ok := node.(*ast.InterfaceType); ok {
				m.interfaces[file.at(literal)] = countMethods(literal, declared[file.folder()], 0)
			}
			return true
		})
	}
	return m
}

// addModules notes which modules the file imports.
func (m *measures) addModules(file goFile, modules []string) {
	for _, target := range importNames(file) {
		for _, candidate := range modules {
			if isBelow(target, candidate) {
				m.modules[candidate] = true
			}
		}
	}
}

// addDeclaration notes the lines of a function and the comments of exported
// names. Names that only tests see need none.
func (m *measures) addDeclaration(file goFile, declaration ast.Decl) {
	public := !strings.HasSuffix(file.path, "_test.go")
	switch declaration := declaration.(type) {
	case *ast.FuncDecl:
		place := file.at(declaration) + " " + declaration.Name.Name
		first, last := file.set.Position(declaration.Pos()), file.set.Position(declaration.End())
		m.functions[place] = last.Line - first.Line + 1
		if public && declaration.Name.IsExported() && hasPublicReceiver(declaration) {
			m.exported[place] = declaration.Doc.Text() != ""
		}
	case *ast.GenDecl:
		if !public || declaration.Tok == token.IMPORT {
			return
		}
		for _, spec := range declaration.Specs {
			names, documented := namesOf(spec)
			for _, name := range names {
				if name.IsExported() {
					m.exported[file.at(name)+" "+name.Name] = documented || declaration.Doc.Text() != ""
				}
			}
		}
	}
}

// namesOf returns what a spec declares, and whether the spec has a comment.
func namesOf(spec ast.Spec) (names []*ast.Ident, documented bool) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		return []*ast.Ident{spec.Name}, spec.Doc.Text() != ""
	case *ast.ValueSpec:
		return spec.Names, spec.Doc.Text() != "" || spec.Comment.Text() != ""
	}
	return nil, false
}

// hasPublicReceiver reports whether a function has no receiver or one of an
// exported type.
func hasPublicReceiver(function *ast.FuncDecl) bool {
	if function.Recv == nil || len(function.Recv.List) == 0 {
		return true
	}
	for receiver := function.Recv.List[0].Type; ; {
		switch typed := receiver.(type) {
		case *ast.StarExpr:
			receiver = typed.X
		case *ast.IndexExpr:
			receiver = typed.X
		case *ast.IndexListExpr:
			receiver = typed.X
		case *ast.Ident:
			return typed.IsExported()
		default:
			return false
		}
	}
}

// interfacesOf returns the named interfaces of each folder.
func interfacesOf(files []goFile) map[string]map[string]*ast.InterfaceType {
	declared := map[string]map[string]*ast.InterfaceType{}
	for _, file := range files {
		if declared[file.folder()] == nil {
			declared[file.folder()] = map[string]*ast.InterfaceType{}
		}
		ast.Inspect(file.syntax, func(node ast.Node) bool {
			if spec, ok := node.(*ast.TypeSpec); ok {
				if literal, ok := spec.Type.(*ast.InterfaceType); ok {
					declared[file.folder()][spec.Name.Name] = literal
				}
			}
			return true
		})
	}
	return declared
}

// countMethods counts the methods of an interface. An embedded interface of
// the same package counts with its own, one of another package as one.
func countMethods(literal *ast.InterfaceType, siblings map[string]*ast.InterfaceType, depth int) int {
	count := 0
	for _, field := range literal.Methods.List {
		name, isName := field.Type.(*ast.Ident)
		sibling := (*ast.InterfaceType)(nil)
		if isName {
			sibling = siblings[name.Name]
		}
		switch {
		case len(field.Names) > 0:
			count += len(field.Names)
		case sibling != nil && depth < 8:
			count += countMethods(sibling, siblings, depth+1)
		default:
			count++
		}
	}
	return count
}

// percentile returns the smallest figure that p percent of the figures do not
// exceed, 0 for none.
func percentile(figures map[string]int, p int) int {
	sorted := slices.Sorted(maps.Values(figures))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

// over returns the places whose figure exceeds the limit, with the figure.
func over(figures map[string]int, limit int) []string {
	var places []string
	for place, figure := range figures {
		if figure > limit {
			places = append(places, place+": "+strconv.Itoa(figure))
		}
	}
	slices.Sort(places)
	return places
}

// without returns the places that lack something, and the percentage that has
// it, rounded down.
func without(places map[string]bool) (lacking []string, percent int) {
	for place, has := range places {
		if !has {
			lacking = append(lacking, place)
		}
	}
	slices.Sort(lacking)
	if len(places) == 0 {
		return nil, 100
	}
	return lacking, 100 * (len(places) - len(lacking)) / len(places)
}
