package connectortest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"latchkey"
	"latchkey/internal/connector"
)

// maxLogo bounds a logo: it is sent with every hosted page that names the
// provider.
const maxLogo = 16 << 10

var (
	idPattern     = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
	domainPattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
)

// checkDescription checks a provider's fixed facts.
func checkDescription(c connector.Connector) []error {
	var errs []error
	d := c.Describe()
	if !idPattern.MatchString(d.ID) {
		errs = append(errs, fmt.Errorf("id %q does not match %s", d.ID, idPattern))
	}
	if strings.TrimSpace(d.Name) == "" || len(d.Name) > 64 {
		errs = append(errs, fmt.Errorf("name %q: want 1 to 64 bytes that show", d.Name))
	}
	if !domainPattern.MatchString(d.Domain) {
		errs = append(errs, fmt.Errorf("domain %q is not a host name", d.Domain))
	}
	if len(d.Environments) == 0 {
		errs = append(errs, errors.New("no environments"))
	}
	for _, environment := range d.Environments {
		if environment != latchkey.Sandbox && environment != latchkey.Live {
			errs = append(errs, fmt.Errorf("unknown environment %q", environment))
		}
	}
	if again := c.Describe(); again.ID != d.ID || !bytes.Equal(again.Logo, d.Logo) {
		errs = append(errs, errors.New("a second description differs from the first"))
	}
	return append(errs, checkLogo(d.Logo)...)
}

// checkLogo checks that a logo is an SVG that can do nothing but be drawn: no
// scripts, no foreign content, no animation, no styles, no reference outside
// itself, no document type.
func checkLogo(logo []byte) []error {
	if len(logo) == 0 || len(logo) > maxLogo {
		return []error{fmt.Errorf("logo has %d bytes, want 1 to %d", len(logo), maxLogo)}
	}
	var errs []error
	decoder := xml.NewDecoder(bytes.NewReader(logo))
	root := true
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return append(errs, fmt.Errorf("logo is not XML: %w", err))
		}
		switch token := token.(type) {
		case xml.Directive:
			errs = append(errs, errors.New("logo has a document type or entity"))
		case xml.ProcInst:
			if token.Target != "xml" {
				errs = append(errs, fmt.Errorf("logo has the processing instruction %q", token.Target))
			}
		case xml.StartElement:
			if root && (token.Name.Local != "svg" || token.Name.Space != "http://www.w3.org/2000/svg") {
				errs = append(errs, fmt.Errorf("logo is a %q, not an svg of the SVG namespace", token.Name.Local))
			}
			root = false
			errs = append(errs, checkElement(token)...)
		}
	}
	if root {
		errs = append(errs, errors.New("logo has no element"))
	}
	return errs
}

// drawn are the elements a logo may use.
var drawn = map[string]bool{
	"svg": true, "g": true, "defs": true, "title": true, "desc": true, "symbol": true, "use": true,
	"path": true, "rect": true, "circle": true, "ellipse": true, "line": true, "polyline": true, "polygon": true,
	"text": true, "tspan": true, "clipPath": true, "mask": true, "pattern": true,
	"linearGradient": true, "radialGradient": true, "stop": true,
}

// checkElement checks one element of a logo and its attributes.
func checkElement(element xml.StartElement) []error {
	var errs []error
	if !drawn[element.Name.Local] {
		errs = append(errs, fmt.Errorf("logo has the element %q", element.Name.Local))
	}
	for _, attribute := range element.Attr {
		name, value := strings.ToLower(attribute.Name.Local), strings.ToLower(attribute.Value)
		outside := strings.Contains(strings.ReplaceAll(strings.ReplaceAll(value, " ", ""), "url(#", ""), "url(")
		switch {
		case strings.HasPrefix(name, "on"), name == "style":
			errs = append(errs, fmt.Errorf("logo has the attribute %q", name))
		case name == "href" && !strings.HasPrefix(value, "#"), name == "src", outside:
			errs = append(errs, fmt.Errorf("logo refers outside itself in %q", name))
		}
	}
	return errs
}
