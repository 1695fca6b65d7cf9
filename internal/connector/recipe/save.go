package recipe

import (
	"fmt"
	"strings"
)

// maxSaved bounds one saved value, in bytes.
const maxSaved = 4096

// source is where a value to save stands: one of its fields is set.
type source struct {
	Field  string      `yaml:"field"`
	JSON   *jsonPath   `yaml:"json"`
	Header string      `yaml:"header"`
	HTML   *htmlSource `yaml:"html"`
}

// htmlSource is an attribute of the first element that matches, or its text.
type htmlSource struct {
	Selector  selector `yaml:"selector"`
	Attribute string   `yaml:"attribute"`
}

// value returns the value, false when there is none.
func (s source) value(a *answer, fields map[string][]byte) (string, bool) {
	switch {
	case s.Field != "":
		value, ok := fields[s.Field]
		return string(value), ok
	case s.Header != "":
		values := a.header.Values(s.Header)
		return a.header.Get(s.Header), len(values) > 0
	case s.JSON != nil:
		if root, ok := a.json(); ok {
			return s.JSON.first(root)
		}
	case s.HTML != nil:
		if page, ok := a.html(); ok {
			found := page.FindMatcher(s.HTML.Selector).First()
			if s.HTML.Attribute != "" {
				return found.Attr(s.HTML.Attribute)
			}
			return strings.TrimSpace(found.Text()), found.Length() > 0
		}
	}
	return "", false
}

// save keeps what the request's recipe wants of the answer. A value that is not
// there is forgotten: whoever needs it then fails with errMissing.
func (v *visit) save(r *request, a *answer) error {
	for name, source := range r.Save {
		delete(v.saved, name)
		value, ok := source.value(a, v.fields)
		if !ok {
			continue
		}
		if len(value) > maxSaved {
			return fmt.Errorf("the value to save as %s is larger than %d bytes", name, maxSaved)
		}
		v.saved[name] = value
		if source.Field == "" {
			v.learn(name, value)
		}
	}
	return nil
}
