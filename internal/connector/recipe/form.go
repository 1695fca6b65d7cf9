package recipe

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// Bounds of a form that is taken over from a page.
const (
	maxControls  = 100
	maxFormBytes = 8 << 10 // names and values together
)

// form is a form of a page as a browser would send it. Between two calls it is
// kept in the flow's state.
type form struct {
	Page     string    `json:"page"`   // URL of the page, without its query
	Method   string    `json:"method"` // GET or POST
	Action   string    `json:"action"` // URL, of the recipe's own origin
	Controls []control `json:"controls"`
}

// control is an input of a form. A password, a button or a box that is not
// ticked is not sent unless the recipe gives it a value.
type control struct {
	Name  string `json:"name"`
	Value string `json:"value,omitzero"`
	Sent  bool   `json:"sent,omitzero"`
}

// readForm takes the form over that the selector finds on a page, or that is
// around what it finds.
func readForm(a *answer, base *url.URL, wanted selector) (*form, error) {
	page, ok := a.html()
	if !ok {
		return nil, fmt.Errorf("no page to find the form %q on: %s", wanted.source, a.summary())
	}
	found := page.FindMatcher(wanted).First().Closest("form")
	if found.Length() == 0 {
		return nil, a.failed(fmt.Sprintf("the form %q is not on the page", wanted.source))
	}
	f := &form{Method: strings.ToUpper(found.AttrOr("method", http.MethodGet))}
	if f.Method != http.MethodGet && f.Method != http.MethodPost {
		return nil, fmt.Errorf("the form %q has an unknown method", wanted.source)
	}
	switch strings.ToLower(found.AttrOr("enctype", "")) {
	case "", "application/x-www-form-urlencoded":
	default:
		return nil, fmt.Errorf("the form %q is not sent URL-encoded", wanted.source)
	}
	action, err := formAction(a.from, page, found)
	if err != nil || !sameOrigin(action, base) {
		return nil, fmt.Errorf("the form %q leads to another site", wanted.source)
	}
	action.Fragment, action.RawFragment = "", ""
	f.Action = action.String()
	f.Page = (&url.URL{Scheme: a.from.Scheme, Host: a.from.Host, Path: a.from.Path, RawPath: a.from.RawPath}).String()
	return f, f.readControls(found, wanted)
}

// formAction resolves where a form leads, as the HTML standard does (section
// 4.10.21.3 and 4.2.3).
func formAction(from *url.URL, page *goquery.Document, found *goquery.Selection) (*url.URL, error) {
	document := from
	if href, ok := page.Find("base[href]").First().Attr("href"); ok {
		base, err := from.Parse(href)
		if err != nil {
			return nil, err
		}
		document = base
	}
	action := strings.TrimSpace(found.AttrOr("action", ""))
	if action == "" {
		return from.Parse("")
	}
	return document.Parse(action)
}

// readControls takes the form's inputs over, in their order.
func (f *form) readControls(found *goquery.Selection, wanted selector) error {
	size := 0
	for _, input := range found.Find("input, select, textarea, button").EachIter() {
		name, ok := input.Attr("name")
		if _, disabled := input.Attr("disabled"); !ok || name == "" || disabled {
			continue
		}
		c := readControl(name, input)
		f.Controls = append(f.Controls, c)
		size += len(c.Name) + len(c.Value)
		if len(f.Controls) > maxControls || size > maxFormBytes {
			return fmt.Errorf("the form %q has more than %d inputs or %d bytes", wanted.source, maxControls, maxFormBytes)
		}
	}
	return nil
}

// readControl reads one input as a browser that has just loaded the page has
// it.
func readControl(name string, input *goquery.Selection) control {
	value, _ := input.Attr("value")
	switch goquery.NodeName(input) {
	case "textarea":
		return control{Name: name, Value: input.Text(), Sent: true}
	case "button":
		return control{Name: name, Value: value}
	case "select":
		chosen := input.Find("option[selected]").First()
		if chosen.Length() == 0 {
			chosen = input.Find("option").First()
		}
		return control{Name: name, Value: chosen.AttrOr("value", strings.TrimSpace(chosen.Text())), Sent: chosen.Length() > 0}
	}
	_, ticked := input.Attr("checked")
	switch strings.ToLower(input.AttrOr("type", "text")) {
	case "checkbox", "radio":
		return control{Name: name, Value: input.AttrOr("value", "on"), Sent: ticked}
	case "submit", "image", "button", "reset", "file", "password":
		return control{Name: name, Value: value}
	}
	return control{Name: name, Value: value, Sent: true}
}

// form returns the form that a request submits: of the last page, or of the
// one on which the person was asked.
func (v *visit) form(r *request) (*form, error) {
	if v.page != nil {
		return readForm(v.page, v.recipe.base, *r.FormFrom)
	}
	if f := v.forms[r.FormFrom.source]; f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("no page came before the form %q", r.FormFrom.source)
}

// hold keeps the forms that the steps after a prompt begin with, if they are
// on the last page. One that is not there any more stays as it was.
func (v *visit) hold(p *prompt) (map[string]*form, error) {
	held := map[string]*form{}
	for _, name := range p.leads() {
		first := v.recipe.steps[name].Requests[0]
		if first.FormFrom == nil {
			continue
		}
		key := first.FormFrom.source
		if before := v.forms[key]; before != nil {
			held[key] = before
		}
		if v.page == nil {
			continue
		}
		f, err := readForm(v.page, v.recipe.base, *first.FormFrom)
		if err != nil {
			if held[key] == nil {
				return nil, fmt.Errorf("step %s: %w", name, err)
			}
			continue
		}
		if v.submits(f) {
			return nil, fmt.Errorf("step %s: the form %q holds what was submitted", name, key)
		}
		held[key] = f
	}
	return held, nil
}

// submits reports whether a page has written a submitted secret into its form,
// which would bring it into the flow's state.
func (v *visit) submits(f *form) bool {
	for _, name := range v.secret {
		value := string(v.fields[name])
		if value != "" && slices.ContainsFunc(f.Controls, func(c control) bool { return strings.Contains(c.Value, value) }) {
			return true
		}
	}
	return false
}

// has reports whether the form has an input of the name.
func (f *form) has(name string) bool {
	return slices.ContainsFunc(f.Controls, func(c control) bool { return c.Name == name })
}

// encode returns the form URL-encoded, with the recipe's own values in the
// place of the page's. What a person submitted goes only into an input that
// the page has. The caller clears the bytes.
func (f *form) encode(own pairs, v values) ([]byte, error) {
	filled := make(pairs, 0, len(f.Controls)+len(own))
	for _, c := range f.Controls {
		at := slices.IndexFunc(own, func(p pair) bool { return p.name == c.Name })
		twice := slices.ContainsFunc(filled, func(p pair) bool { return p.name == c.Name })
		switch {
		case at >= 0 && !twice:
			filled = append(filled, own[at])
		case at < 0 && c.Sent:
			filled = append(filled, pair{name: c.Name, text: text{parts: []part{{name: c.Value}}}})
		}
	}
	for _, p := range own {
		switch {
		case f.has(p.name):
		case p.text.uses(fromField):
			return nil, fmt.Errorf("the form on the page has no input %q", p.name)
		default:
			filled = append(filled, p)
		}
	}
	return filled.appendTo([]byte{}, v)
}
