package connector

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// maxLogo bounds a logo: it is sent with every page that names the provider.
const maxLogo = 16 << 10

// CheckLogo checks that a logo is an SVG image that can do nothing but be
// drawn. An empty one stands for none.
func CheckLogo(logo string) error {
	if logo == "" {
		return nil
	}
	if len(logo) > maxLogo {
		return errors.New("want at most 16 KiB")
	}
	decoder := xml.NewDecoder(strings.NewReader(logo))
	for root := true; ; {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF) && !root:
			return nil
		case err != nil:
			return errors.New("not well-formed XML")
		}
		switch token := token.(type) {
		case xml.ProcInst:
			if token.Target != "xml" {
				return errors.New("the instruction " + token.Target + " is not allowed")
			}
		case xml.Directive:
			return errors.New("document types and entities are not allowed")
		case xml.StartElement:
			if root && (token.Name.Local != "svg" || token.Name.Space != "http://www.w3.org/2000/svg") {
				return errors.New("want an svg element of the SVG namespace")
			}
			root = false
			if err := checkDrawing(token); err != nil {
				return err
			}
		}
	}
}

// drawing are the elements a logo may use.
var drawing = []string{
	"svg", "g", "defs", "title", "desc", "symbol", "use", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon",
	"text", "tspan", "clipPath", "mask", "pattern", "linearGradient", "radialGradient", "stop",
}

// checkDrawing refuses scripts, styles and references outside the image.
func checkDrawing(element xml.StartElement) error {
	if !slices.Contains(drawing, element.Name.Local) {
		return errors.New("the element " + element.Name.Local + " is not allowed")
	}
	for _, attribute := range element.Attr {
		name, value := strings.ToLower(attribute.Name.Local), strings.ToLower(attribute.Value)
		outside := strings.Contains(strings.ReplaceAll(strings.ReplaceAll(value, " ", ""), "url(#", ""), "url(")
		if strings.HasPrefix(name, "on") || name == "style" || name == "src" ||
			(name == "href" && !strings.HasPrefix(value, "#")) || outside {
			return errors.New("the attribute " + name + " is not allowed")
		}
	}
	return nil
}
