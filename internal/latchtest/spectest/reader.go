package spectest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// reader reads the parts of a description, by JSON pointer. What is wrong with
// it is collected in errs.
type reader struct {
	document document
	errs     []error
}

// escape makes a name a token of a JSON pointer (RFC 6901, section 3).
func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

func unescape(token string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(token) }

// get returns what stands at the pointer, nil for nothing. It does not follow
// references.
func (r *reader) get(pointer string) any {
	value := r.document.root
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch node := value.(type) {
		case map[string]any:
			value = node[unescape(token)]
		case []any:
			var index int
			if _, err := fmt.Sscanf(token, "%d", &index); err != nil || index < 0 || index >= len(node) {
				return nil
			}
			value = node[index]
		default:
			return nil
		}
	}
	return value
}

func (r *reader) has(pointer string) bool { return r.get(pointer) != nil }

func (r *reader) flag(pointer string) bool {
	set, _ := r.get(pointer).(bool)
	return set
}

// keys returns the sorted names in the object at the pointer.
func (r *reader) keys(pointer string) []string {
	object, _ := r.get(pointer).(map[string]any)
	return slices.Sorted(maps.Keys(object))
}

// resolve follows the references at the pointer to what they mean.
func (r *reader) resolve(pointer string) string {
	for range 10 {
		object, _ := r.get(pointer).(map[string]any)
		reference, ok := object["$ref"].(string)
		if !ok {
			return pointer
		}
		pointer = strings.TrimPrefix(reference, "#")
		if !strings.HasPrefix(reference, "#/") || !r.has(pointer) {
			r.errs = append(r.errs, fmt.Errorf("%s leads nowhere", reference))
			return pointer
		}
	}
	r.errs = append(r.errs, fmt.Errorf("the reference %s leads in a circle", pointer))
	return pointer
}

// operation reads one operation.
func (r *reader) operation(at string) *operation {
	scope, _ := r.get(at + "/x-latchkey-scope").(string)
	read := &operation{
		scope:       scope,
		passThrough: r.flag(at + "/x-latchkey-pass-through"),
		parameters:  r.parameters(at + "/parameters"),
		answers:     map[string]*answer{},
	}
	if r.has(at + "/requestBody") {
		body := r.resolve(at + "/requestBody")
		read.body, read.needsBody = r.content(body+"/content"), r.flag(body+"/required")
	}
	for _, status := range r.keys(at + "/responses") {
		read.answers[status] = r.answer(at + "/responses/" + status)
	}
	if len(read.answers) == 0 {
		r.errs = append(r.errs, fmt.Errorf("%s has no responses", at))
	}
	return read
}

// parameters reads the query parameters and headers of a list. What is in the
// path is the router's to judge.
func (r *reader) parameters(at string) []parameter {
	list, _ := r.get(at).([]any)
	var read []parameter
	for i := range list {
		at := r.resolve(fmt.Sprintf("%s/%d", at, i))
		in, _ := r.get(at + "/in").(string)
		name, _ := r.get(at + "/name").(string)
		if in == "query" || in == "header" {
			read = append(read, r.parameter(at, name, in))
		}
	}
	return read
}

func (r *reader) parameter(at, name, in string) parameter {
	return parameter{name: name, in: in, required: r.flag(at + "/required"), schema: r.schema(at + "/schema")}
}

// answer reads one response.
func (r *reader) answer(at string) *answer {
	at = r.resolve(at)
	read := &answer{}
	for _, name := range r.keys(at + "/headers") {
		read.headers = append(read.headers, r.parameter(r.resolve(at+"/headers/"+escape(name)), name, "header"))
	}
	if r.has(at + "/content") {
		read.content = r.content(at + "/content")
	}
	return read
}

func (r *reader) content(at string) *content {
	read := &content{types: map[string]*schema{}}
	for _, mediaType := range r.keys(at) {
		read.types[mediaType] = r.schema(at + "/" + escape(mediaType) + "/schema")
	}
	return read
}

// schema returns the schema at the pointer, nil for none.
func (r *reader) schema(at string) *schema {
	if !r.has(at) {
		return nil
	}
	return &schema{document: r.document, pointer: at}
}

// pattern writes a path as a ServeMux has it: a parameter that takes the rest
// of the path is {name...}.
func (r *reader) pattern(path, item, operation string) string {
	for _, at := range []string{item + "/parameters", operation + "/parameters"} {
		list, _ := r.get(at).([]any)
		for i := range list {
			at := r.resolve(fmt.Sprintf("%s/%d", at, i))
			if r.flag(at + "/x-latchkey-rest") {
				name, _ := r.get(at + "/name").(string)
				path = strings.Replace(path, "{"+name+"}", "{"+name+"...}", 1)
			}
		}
	}
	return path
}
