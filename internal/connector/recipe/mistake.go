package recipe

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Mistake is something in a recipe file that must be changed.
type Mistake struct {
	Line int    // in the file, from 1
	Text string // what is wrong, and what to do
}

// Mistakes are everything that was found wrong in a file.
type Mistakes struct {
	File string
	List []Mistake // in the order of the lines
}

// Error tells each mistake on a line of its own, as file:line: text.
func (m *Mistakes) Error() string {
	lines := make([]string, len(m.List))
	for i, mistake := range m.List {
		lines[i] = fmt.Sprintf("%s:%d: %s", m.File, mistake.Line, mistake.Text)
	}
	return strings.Join(lines, "\n")
}

// mistakesOf returns the mistakes that an error tells, each a line that begins
// with its number in the file.
func mistakesOf(file string, err error) *Mistakes {
	found := &Mistakes{File: file}
	lines := strings.Split(err.Error(), "\n")
	if wrong, ok := errors.AsType[*yaml.TypeError](err); ok {
		lines = wrong.Errors
	}
	for _, text := range lines {
		text = strings.TrimPrefix(strings.TrimPrefix(text, "yaml: "), "line ")
		mistake := Mistake{Line: 1, Text: text}
		number, rest, _ := strings.Cut(text, ": ")
		if line, err := strconv.Atoi(number); err == nil {
			mistake = Mistake{Line: line, Text: rest}
		}
		if !slices.Contains(found.List, mistake) {
			found.List = append(found.List, mistake)
		}
	}
	slices.SortStableFunc(found.List, func(a, b Mistake) int { return cmp.Compare(a.Line, b.Line) })
	return found
}

// mistakef returns a mistake as an error that the YAML decoder collects: it
// goes on to the next one.
func mistakef(line int, format string, args ...any) error {
	return &yaml.TypeError{Errors: []string{fmt.Sprintf("%d: %s", line, fmt.Sprintf(format, args...))}}
}

// linter collects what is wrong in a recipe.
type linter struct {
	*Recipe
	root  *yaml.Node // of the file
	found []error
}

// add notes a mistake.
func (l *linter) add(line int, format string, args ...any) {
	l.found = append(l.found, fmt.Errorf("%d: %s", line, fmt.Sprintf(format, args...)))
}

// line returns where a key of the top level stands, 1 when it does not.
func (l *linter) line(name string) int {
	if key, _ := member(l.root, name); key != nil {
		return key.Line
	}
	return 1
}

// meant returns a hint at the nearest of the known names, or at all of them.
func meant(given string, known []string) string {
	slices.Sort(known)
	best, least := "", max(2, len(given)/3)+1
	for _, name := range known {
		if d := distance(given, name); d < least {
			best, least = name, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("; did you mean %q?", best)
	case len(known) == 0:
		return ""
	}
	return "; there are: " + strings.Join(known, ", ")
}

// distance is how many letters must be put in, left out or changed (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
