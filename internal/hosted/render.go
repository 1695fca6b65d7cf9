package hosted

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed templates/*.html
var templateFiles embed.FS

// contents lists one value of every Content, so that each is parsed at start
// and drawn in the tests.
var contents = []Content{
	PreLogin{}, Reconnect{}, Authorization{}, Login{}, TwoFactor{}, Redirect{}, Wait{}, Trying{}, Confirming{},
	Done{}, Cancelled{}, Elsewhere{}, Returned{}, Lost{}, Foreign{}, Error{}, Expired{}, Gone{}, NotFound{}, Trouble{},
}

// templates holds the layout around each content, by the content's name.
var templates = parseTemplates()

func parseTemplates() map[string]*template.Template {
	shared := template.Must(template.ParseFS(templateFiles, "templates/layout.html", "templates/parts.html"))
	parsed := make(map[string]*template.Template, len(contents))
	for _, content := range contents {
		page := template.Must(shared.Clone())
		parsed[content.name()] = template.Must(page.ParseFS(templateFiles, "templates/"+content.name()+".html"))
	}
	return parsed
}

// Render writes the page as a whole HTML document. Nothing is written when it
// fails: on a path that leads elsewhere, or a text that is missing.
func Render(w io.Writer, page Page) error {
	if page.Content == nil {
		return fmt.Errorf("draw page: no content")
	}
	v, err := newView(page)
	if err != nil {
		return fmt.Errorf("draw page %s: %w", page.Content.name(), err)
	}
	var document bytes.Buffer
	if err := templates[page.Content.name()].ExecuteTemplate(&document, "layout", v); err != nil {
		return fmt.Errorf("draw page %s: %w", page.Content.name(), err)
	}
	if _, err := document.WriteTo(w); err != nil {
		return fmt.Errorf("write page %s: %w", page.Content.name(), err)
	}
	return nil
}

// local refuses a path that a browser could take for another host. The empty
// path is fine.
func local(what, path string) error {
	if path == "" {
		return nil
	}
	if path[0] != '/' || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\t\r\n") {
		return fmt.Errorf("%s is not a path of this server", what)
	}
	return nil
}
