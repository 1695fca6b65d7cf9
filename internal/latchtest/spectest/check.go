package spectest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Exchange is a request and its answer.
type Exchange struct {
	Method         string
	Path           string // as it was sent, escaped, with its query
	RequestHeader  http.Header
	RequestBody    []byte
	RequestCut     bool // the body was not kept, or not to its end: it is not judged
	Status         int
	ResponseHeader http.Header
	ResponseBody   []byte
	ResponseCut    bool // as RequestCut
	// Mutation says what MutateAnswer has done; "" in what was recorded.
	Mutation string
}

// Check returns what does not fit the description; nothing when all does. A
// finding names places and rules, never a text that was sent.
//
// Every answer is judged: its status, the headers it owes, its media type and
// its body. A request is judged when its answer is 2xx, since anything may be
// sent and be refused. A path that is not described must answer with the
// response RouteNotFound, or be none of the API's: a page, an asset or a
// redirect. What names no path at all (CONNECT, and OPTIONS of *) is the HTTP
// server's to answer.
func (s *Spec) Check(exchange Exchange) []string {
	at, err := url.ParseRequestURI(exchange.Path)
	if err != nil || exchange.Method == http.MethodConnect || !strings.HasPrefix(at.Path, "/") {
		return nil
	}
	found := s.find(exchange.Method, at.EscapedPath())
	if found == nil {
		return s.checkUnrouted(exchange, at)
	}
	findings := found.checkAnswer(exchange)
	if exchange.Status/100 == 2 {
		findings = append(findings, found.checkRequest(exchange, at)...)
	}
	return named(found.name, exchange.Status, findings)
}

// named begins each finding with the exchange that it is about.
func named(name string, status int, findings []string) []string {
	for i, finding := range findings {
		findings[i] = fmt.Sprintf("%s, %d: %s", name, status, finding)
	}
	return findings
}

// clientSecret is what a path may hold that no output should.
var clientSecret = regexp.MustCompile(`cs_[0-9A-Za-z]+`)

// isFile reports whether a path is one of the files that browsers load.
func isFile(path string) bool {
	return strings.HasPrefix(path, "/static/") || strings.HasPrefix(path, "/embed/") || path == "/embed.js"
}

// checkUnrouted judges an answer to a path that is not described.
func (s *Spec) checkUnrouted(exchange Exchange, at *url.URL) []string {
	mediaType := mediaTypeOf(exchange.ResponseHeader)
	redirected := exchange.Status/100 == 3 && mediaType != "application/json"
	if redirected || mediaType == "text/html" || mediaType == "text/event-stream" || isFile(at.Path) {
		return nil
	}
	var findings []string
	if exchange.Status != http.StatusNotFound || s.unrouted == nil {
		findings = []string{"the route is not described"}
	} else {
		findings = s.unrouted.check(exchange)
	}
	return named(exchange.Method+" "+clientSecret.ReplaceAllString(at.Path, "cs_…"), exchange.Status, findings)
}

// checkAnswer judges an answer.
func (o *operation) checkAnswer(exchange Exchange) []string {
	status := strconv.Itoa(exchange.Status)
	described := o.answers[status]
	if described == nil && len(status) == 3 {
		described = o.answers[status[:1]+"XX"]
	}
	if described == nil {
		described = o.answers["default"]
	}
	if described == nil {
		return []string{"the status is not described"}
	}
	if o.passThrough {
		return o.checkPassed(described, exchange.ResponseHeader)
	}
	return described.check(exchange)
}

// checkPassed judges an answer that may be a third party's. Only what every
// answer owes can be demanded of it.
func (o *operation) checkPassed(described *answer, header http.Header) []string {
	always := described
	if any := o.answers["default"]; any != nil {
		always = any
	}
	owed := &answer{headers: slices.DeleteFunc(slices.Clone(described.headers), func(one parameter) bool {
		return !slices.ContainsFunc(always.headers, func(other parameter) bool { return other.name == one.name })
	})}
	return owed.checkHeaders(header)
}

// check judges the headers and the body.
func (a *answer) check(exchange Exchange) []string {
	findings := a.checkHeaders(exchange.ResponseHeader)
	if exchange.Method == http.MethodHead || exchange.Status == http.StatusNotModified || exchange.ResponseCut {
		return findings
	}
	if a.content == nil {
		if len(exchange.ResponseBody) > 0 {
			findings = append(findings, "the answer has a body")
		}
		return findings
	}
	for _, finding := range a.content.check(exchange.ResponseHeader, exchange.ResponseBody) {
		findings = append(findings, "answer: "+finding)
	}
	return findings
}

// checkHeaders judges the headers that an answer owes.
func (a *answer) checkHeaders(header http.Header) []string {
	var findings []string
	for _, described := range a.headers {
		findings = append(findings, described.check("answer", header.Values(described.name))...)
	}
	return findings
}

// checkRequest judges a request that was answered with 2xx.
func (o *operation) checkRequest(exchange Exchange, at *url.URL) []string {
	var findings []string
	var query url.Values
	for _, described := range o.parameters {
		values := exchange.RequestHeader.Values(described.name)
		if described.in == "query" {
			if query == nil {
				query = at.Query()
			}
			values = query[described.name]
			if len(values) > 0 && values[0] == "" { // as if it were not there
				values = nil
			}
		}
		findings = append(findings, described.check("request", values)...)
	}
	if o.body == nil || o.passThrough || exchange.RequestCut || len(exchange.RequestBody) == 0 && !o.needsBody {
		return findings
	}
	wrong := o.body.check(exchange.RequestHeader, exchange.RequestBody)
	if body, changed := withoutEmpty(exchange.RequestBody); changed && len(wrong) > 0 {
		wrong = o.body.check(exchange.RequestHeader, body)
	}
	for _, finding := range wrong {
		findings = append(findings, "request: "+finding)
	}
	return findings
}

// withoutEmpty takes the fields that are null or empty texts out of a JSON
// object: for the server they are not there.
func withoutEmpty(body []byte) (rest []byte, changed bool) {
	var object map[string]any
	if json.Unmarshal(body, &object) != nil {
		return nil, false
	}
	maps.DeleteFunc(object, func(_ string, value any) bool { return value == nil || value == "" })
	rest, err := json.Marshal(object)
	return rest, err == nil
}

// check judges a header or query parameter that has come with the values.
func (p parameter) check(side string, values []string) []string {
	if len(values) == 0 {
		if p.required {
			return []string{side + ": " + p.in + " " + p.name + " is missing"}
		}
		return nil
	}
	// What is described as a number came as text; so did what is text and
	// looks like a number.
	var value any = values[0]
	findings := p.schema.check(value)
	if number, err := strconv.Atoi(values[0]); err == nil && len(findings) > 0 {
		findings = p.schema.check(number)
	}
	for i, finding := range findings {
		findings[i] = side + ": " + p.in + " " + p.name + " " + finding
	}
	return findings
}

// check judges a body by its media type.
func (c *content) check(header http.Header, body []byte) []string {
	mediaType := mediaTypeOf(header)
	described, ok := c.types[mediaType]
	if !ok {
		described, ok = c.types["*/*"]
	}
	if !ok {
		return []string{fmt.Sprintf("the media type %q is not described", mediaType)}
	}
	if mediaType != "application/json" {
		return nil
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return []string{"the body is not JSON"}
	}
	return described.check(value)
}

func mediaTypeOf(header http.Header) string {
	given := header.Get("Content-Type")
	if given == "application/json" {
		return given
	}
	mediaType, _, err := mime.ParseMediaType(given)
	if err != nil {
		return ""
	}
	return mediaType
}
