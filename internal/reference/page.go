package reference

import (
	"bytes"
	_ "embed" // for the template
	"fmt"
	"html/template"
	"slices"
	"strings"
)

// page is everything that the template draws.
type page struct {
	Title, Version, Summary string
	APIURL                  string
	AssetPrefix             string
	Intro                   []block
	Groups                  []group
	Events                  []operation
	Errors                  []answer // those that calls share
	Objects                 []object
	Headers                 []headerSection
	Keys                    []key
}

// group is the operations with one tag.
type group struct {
	ID, Tag, Title string
	Text           []block
	Operations     []operation
}

// object is a shape that is referred to from more than one place.
type object struct {
	ID, Name string
	Text     []span
	Options  []header // the objects that it may be
	Variants []variant
	Sample   string
}

// headerSection is a header that answers have.
type headerSection struct {
	ID string
	field
}

// key is a way to show the API key.
type key struct {
	Name string
	Text []span
}

//go:embed templates/page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// render writes the page as a whole HTML document.
func (d document) render(to *bytes.Buffer, apiURL string) error {
	info := d.root.get("info")
	shown := page{
		Title: info.get("title").str(), Version: info.get("version").str(), Summary: info.get("summary").str(),
		APIURL: apiURL, AssetPrefix: assetPrefix(), Intro: parseProse(info.get("description").str()),
		Groups: d.groups(), Objects: d.objects(), Headers: d.headers(),
	}
	shown.Errors = sharedErrors(shown.Groups)
	for _, event := range d.root.get("webhooks").fields() {
		shown.Events = append(shown.Events, d.operations(event.name, d.resolve(event.value))...)
	}
	for _, scheme := range d.root.get("components", "securitySchemes").fields() {
		shown.Keys = append(shown.Keys, key{scheme.name, parseLine(scheme.value.get("description").str())})
	}
	if err := pageTemplate.Execute(to, shown); err != nil {
		return fmt.Errorf("draw the reference: %w", err)
	}
	return nil
}

// groups sorts the operations by their first tag, in the order of the tags.
// What has a tag that is not listed comes last.
func (d document) groups() []group {
	var groups []group
	for _, tag := range d.root.get("tags").list() {
		name := tag.get("name").str()
		title := tag.get("x-displayName").str()
		if title == "" {
			title = name
		}
		groups = append(groups, group{ID: anchor("tag-" + name), Tag: name, Title: title, Text: parseProse(tag.get("description").str())})
	}
	for _, path := range d.root.get("paths").fields() {
		for _, one := range d.operations(path.name, d.resolve(path.value)) {
			i := slices.IndexFunc(groups, func(g group) bool { return g.Tag == one.Tag })
			if i < 0 {
				i = len(groups)
				groups = append(groups, group{ID: anchor("tag-" + one.Tag), Tag: one.Tag, Title: "Others"})
			}
			groups[i].Operations = append(groups[i].Operations, one)
		}
	}
	return slices.DeleteFunc(groups, func(g group) bool { return len(g.Operations) == 0 })
}

// sharedErrors returns the errors that are components, each once, by status.
func sharedErrors(groups []group) []answer {
	var shared []answer
	for _, group := range groups {
		for _, operation := range group.Operations {
			for _, one := range operation.Errors {
				known := func(other answer) bool { return other.Name == one.Name }
				if one.Name != "" && !slices.ContainsFunc(shared, known) {
					shared = append(shared, one)
				}
			}
		}
	}
	slices.SortStableFunc(shared, func(a, b answer) int { return strings.Compare(a.Status, b.Status) })
	return shared
}

// objects returns the shared objects, in the order in which they are written.
func (d document) objects() []object {
	var objects []object
	for _, schema := range d.root.get("components", "schemas").fields() {
		if !d.isShared(schema.name) {
			continue
		}
		shown := object{
			ID: objectID(schema.name), Name: schema.name, Text: parseLine(schema.value.get("description").str()),
			Variants: d.variants(schema.value, true),
		}
		for _, branch := range schema.value.get("oneOf").list() {
			if name := schemaName(branch); name != "" && d.isShared(name) {
				shown.Options = append(shown.Options, header{name, objectID(name)})
			}
		}
		if sample := d.sample(schema.value); sample != nil {
			shown.Sample = indented(sample)
		}
		objects = append(objects, shown)
	}
	return objects
}

// headers returns the headers that answers have, each once.
func (d document) headers() []headerSection {
	var headers []headerSection
	seen := map[string]bool{}
	for _, path := range d.root.get("paths").fields() {
		for _, method := range methods {
			for _, response := range d.resolve(path.value).get(method, "responses").fields() {
				for _, described := range d.resolve(response.value).get("headers").fields() {
					if !seen[described.name] {
						seen[described.name] = true
						headers = append(headers, headerSection{headerID(described.name), d.parameter(described.name, described.value)})
					}
				}
			}
		}
	}
	return headers
}
