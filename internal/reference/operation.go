package reference

import (
	"slices"
	"strings"
)

// operation is one call, or one event that is sent.
type operation struct {
	ID         string
	Tag        string // the first
	Method     string
	Path       string // of an event, its type
	Scope      string // "" for none
	Title      string
	Text       []block
	Parameters []parameters
	Body       *body // of the request
	Answers    []answer
	Errors     []answer
	Example    string // a call for a shell
}

// parameters are those of one place: path, query or header.
type parameters struct {
	Place  string
	Fields []field
}

// body is what is sent or answered.
type body struct {
	Type     string
	Link     string // the object that it is; "" when the variants say it
	Required bool
	Media    string // the media type, where it is not JSON
	Text     []span
	Variants []variant
	Sample   string
}

// answer is one status.
type answer struct {
	Status  string
	Name    string // of the component that it is; "" for one of its own
	Link    string // where that is described
	Text    []span
	Types   []string // the types of an error
	Body    *body
	Headers []header
}

// header names a header and where it is described.
type header struct{ Name, ID string }

// methods are the operations of a path, in the order in which they are shown.
var methods = []string{"get", "head", "options", "post", "put", "patch", "delete", "trace"}

// operations returns the operations of a path item.
func (d document) operations(path string, item *value) []operation {
	var all []operation
	for _, field := range item.fields() {
		if slices.Contains(methods, field.name) {
			all = append(all, d.operation(field.name, path, item, field.value))
		}
	}
	return all
}

func (d document) operation(method, path string, item, described *value) operation {
	method = strings.ToUpper(method)
	given := slices.Concat(item.get("parameters").list(), described.get("parameters").list())
	keyed := described.get("security") == nil || len(described.get("security").list()) > 0
	shown := operation{
		ID: anchor(described.get("operationId").str()), Method: method, Path: path,
		Scope: described.get("x-latchkey-scope").str(), Title: described.get("summary").str(),
		Text: parseProse(described.get("description").str()), Parameters: d.parameters(given),
		Example: d.curl(method, path, given, described, keyed),
	}
	if tags := described.get("tags").strs(); len(tags) > 0 {
		shown.Tag = tags[0]
	}
	if shown.Title == "" {
		shown.Title = method + " " + path
	}
	if shown.ID == "" {
		shown.ID = anchor(method + "-" + path)
	}
	if request := d.resolve(described.get("requestBody")); request != nil {
		shown.Body = d.body(request.get("content"), false)
		shown.Body.Required = request.get("required").flag()
		if text := request.get("description").str(); text != "" {
			shown.Body.Text = parseLine(text)
		}
	}
	for _, response := range described.get("responses").fields() {
		answer := d.answer(response.name, response.value)
		if strings.HasPrefix(answer.Status, "4") || strings.HasPrefix(answer.Status, "5") {
			shown.Errors = append(shown.Errors, answer)
		} else {
			shown.Answers = append(shown.Answers, answer)
		}
	}
	slices.SortFunc(shown.Errors, func(a, b answer) int { return strings.Compare(a.Status, b.Status) })
	return shown
}

// parameters groups parameters by place.
func (d document) parameters(given []*value) []parameters {
	var groups []parameters
	for _, place := range []string{"path", "query", "header", "cookie"} {
		group := parameters{Place: place}
		for _, described := range given {
			if described = d.resolve(described); described.get("in").str() == place {
				group.Fields = append(group.Fields, d.parameter(described.get("name").str(), described))
			}
		}
		if len(group.Fields) > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}

// responses is where component responses stand.
const responses = "#/components/responses/"

// answer describes one status.
func (d document) answer(status string, response *value) answer {
	name, shared := strings.CutPrefix(response.get("$ref").str(), responses)
	if len(response.fields()) > 1 || !shared { // it says something of its own
		name = ""
	}
	response = d.resolve(response)
	shown := answer{Status: status, Name: name, Text: parseLine(strings.ReplaceAll(response.get("description").str(), "\n", " "))}
	if name != "" {
		shown.Link = anchor("error-" + name)
	}
	for _, field := range response.get("headers").fields() {
		shown.Headers = append(shown.Headers, header{field.name, headerID(field.name)})
	}
	if content := response.get("content"); len(content.fields()) > 0 {
		schema := content.get("application/json", "schema")
		shown.Types = d.valuesOf(d.resolve(schema).get("properties", "type"))
		shown.Body = d.body(content, true)
	}
	return shown
}

func headerID(name string) string { return anchor("header-" + strings.ToLower(name)) }

// body describes a body: as JSON if it can be that, else by its media type.
func (d document) body(content *value, links bool) *body {
	schema := content.get("application/json", "schema")
	if schema == nil {
		shown := &body{Type: "any"}
		if fields := content.fields(); len(fields) > 0 {
			shown.Media = fields[0].name
			shown.Text = parseLine(fields[0].value.get("schema", "description").str())
		}
		return shown
	}
	resolved := d.resolve(schema)
	shown := &body{Type: d.typeOf(schema, 0), Text: parseLine(resolved.get("description").str())}
	if name := schemaName(schema); links && name != "" && d.isShared(name) {
		shown.Link = objectID(name)
	} else {
		shown.Variants = d.variants(schema, links)
	}
	if sample := d.sample(schema); sample != nil {
		shown.Sample = indented(sample)
	}
	return shown
}
