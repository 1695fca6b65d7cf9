package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// value is a place in an answer's JSON.
type value struct {
	s       *suite
	path    string // from the root, for a failure
	data    any    // nil, bool, float64, string, []any or map[string]any
	present bool
}

// at returns the place below, by names and numbers joined by full stops. A
// place that is not there is one too, until it is read.
func (v value) at(path string) value {
	for token := range strings.SplitSeq(path, ".") {
		next := value{s: v.s, path: strings.TrimPrefix(v.path+"."+token, ".")}
		switch data := v.data.(type) {
		case map[string]any:
			next.data, next.present = data[token], false
			_, next.present = data[token]
		case []any:
			if index, err := strconv.Atoi(token); err == nil && index >= 0 && index < len(data) {
				next.data, next.present = data[index], true
			}
		}
		v = next
	}
	return v
}

// has reports whether the place below is there.
func (v value) has(path string) bool { return v.at(path).present }

// wrong fails the row: the place does not hold what it should.
func (v value) wrong(want string) {
	if !v.present {
		v.s.failf("%s is missing, want %s", v.name(), want)
	}
	v.s.failf("%s is %s, want %s", v.name(), v, want)
}

func (v value) name() string {
	if v.path == "" {
		return "the answer"
	}
	return v.path
}

// String returns the JSON of the place, for a failure.
func (v value) String() string {
	encoded, err := json.Marshal(v.data, json.Deterministic(true))
	if err != nil {
		return fmt.Sprint(v.data)
	}
	return shorten(string(encoded), excerptLimit)
}

// text returns the string at the place.
func (v value) text() string {
	text, ok := v.data.(string)
	if !ok {
		v.wrong("a string")
	}
	return text
}

// whole returns the whole number at the place.
func (v value) whole() int {
	number, ok := v.data.(float64)
	if !ok || number != float64(int(number)) {
		v.wrong("a whole number")
	}
	return int(number)
}

// flag returns the boolean at the place.
func (v value) flag() bool {
	flag, ok := v.data.(bool)
	if !ok {
		v.wrong("true or false")
	}
	return flag
}

// list returns the elements of the array at the place.
func (v value) list() []value {
	data, ok := v.data.([]any)
	if !ok {
		v.wrong("an array")
	}
	elements := make([]value, len(data))
	for i := range data {
		elements[i] = v.at(strconv.Itoa(i))
	}
	return elements
}

// texts returns the strings of the array at the place.
func (v value) texts() []string {
	var texts []string
	for _, element := range v.list() {
		texts = append(texts, element.text())
	}
	return texts
}

// is fails the row unless the place holds exactly that; nil is null.
func (v value) is(want any) value {
	wanted, err := json.Marshal(want, json.Deterministic(true))
	if err != nil {
		v.s.failf("%v can't be compared: %v", want, err)
	}
	given, err := json.Marshal(v.data, json.Deterministic(true))
	if err != nil || !v.present || string(given) != string(wanted) {
		v.wrong(string(wanted))
	}
	return v
}

// fits fails the row unless the place has the shape.
func (v value) fits(wanted shape) value {
	if !v.present {
		v.wrong("something")
	}
	if complaint := wanted(v.data); complaint != "" {
		v.s.failf("%s%s", v.name(), complaint)
	}
	return v
}

// find returns the elements of the array at the place whose own place below
// holds the text.
func (v value) find(path, text string) []value {
	var found []value
	for _, element := range v.list() {
		if given, ok := element.at(path).data.(string); ok && given == text {
			found = append(found, element)
		}
	}
	return found
}
