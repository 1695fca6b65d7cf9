package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// shape judges a piece of JSON: "" when it is as it should be, else what is
// wrong, to follow the name of the place.
type shape func(data any) string

// object is an object with the fields. One whose name ends in "?" may be
// missing; those that are not listed may be there, since the API may grow.
func object(fields map[string]shape) shape {
	names := slices.Sorted(maps.Keys(fields))
	return func(data any) string {
		given, ok := data.(map[string]any)
		if !ok {
			return fmt.Sprintf(" is %v, want an object", data)
		}
		for _, listed := range names {
			name, optional := strings.CutSuffix(listed, "?")
			field, there := given[name]
			if !there && !optional {
				return "." + name + " is missing"
			}
			if there {
				if complaint := fields[listed](field); complaint != "" {
					return "." + name + complaint
				}
			}
		}
		return ""
	}
}

// listOf is an array of such elements.
func listOf(element shape) shape {
	return func(data any) string {
		elements, ok := data.([]any)
		if !ok {
			return fmt.Sprintf(" is %v, want an array", data)
		}
		for i, each := range elements {
			if complaint := element(each); complaint != "" {
				return "." + strconv.Itoa(i) + complaint
			}
		}
		return ""
	}
}

// orNull is null or the shape.
func orNull(other shape) shape {
	return func(data any) string {
		if data == nil {
			return ""
		}
		return other(data)
	}
}

// mapOfText is an object whose values are strings.
func mapOfText(data any) string {
	entries, ok := data.(map[string]any)
	if !ok {
		return fmt.Sprintf(" is %v, want an object", data)
	}
	for name, entry := range entries {
		if complaint := text(entry); complaint != "" {
			return "." + name + complaint
		}
	}
	return ""
}

// text is a string.
func text(data any) string {
	if _, ok := data.(string); !ok {
		return fmt.Sprintf(" is %v, want a string", data)
	}
	return ""
}

// filled is a string that is not empty.
func filled(data any) string {
	if given, ok := data.(string); !ok || given == "" {
		return fmt.Sprintf(" is %q, want a string that is not empty", data)
	}
	return ""
}

// like is a string that matches the whole pattern.
func like(pattern string) shape {
	whole := regexp.MustCompile(`^(?:` + pattern + `)$`)
	return func(data any) string {
		if given, ok := data.(string); !ok || !whole.MatchString(given) {
			return fmt.Sprintf(" is %v, want a string like %s", data, pattern)
		}
		return ""
	}
}

// id is an id with the prefix; after it stand only letters and digits.
func id(prefix string) shape { return like(regexp.QuoteMeta(prefix) + `[0-9A-Za-z]+`) }

// moment is RFC 3339 in UTC with milliseconds.
func moment(data any) string {
	given, ok := data.(string)
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", given); !ok || err != nil {
		return fmt.Sprintf(" is %v, want a time like 2023-10-27T10:00:00.000Z", data)
	}
	return ""
}

// whole is a whole number.
func whole(data any) string {
	if number, ok := data.(float64); !ok || number != float64(int64(number)) {
		return fmt.Sprintf(" is %v, want a whole number", data)
	}
	return ""
}

// flagged is true or false.
func flagged(data any) string {
	if _, ok := data.(bool); !ok {
		return fmt.Sprintf(" is %v, want true or false", data)
	}
	return ""
}

// exactly is that and nothing else.
func exactly(want any) shape {
	return func(data any) string {
		if data != want {
			return fmt.Sprintf(" is %v, want %v", data, want)
		}
		return ""
	}
}

// oneOf is one of the strings.
func oneOf(allowed ...string) shape {
	return func(data any) string {
		if given, ok := data.(string); !ok || !slices.Contains(allowed, given) {
			return fmt.Sprintf(" is %v, want one of %v", data, allowed)
		}
		return ""
	}
}
