package recipe

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/PuerkitoBio/goquery"
)

// maxAnswer bounds what is read of an answer's body, in bytes.
const maxAnswer = 1 << 20

// answer is a provider's answer, read whole.
type answer struct {
	status    int
	from      *url.URL // of the request it answers, after redirects
	place     string   // that request, as the file writes it
	header    http.Header
	mediaType string // lower case, without parameters; "" when it can't be read
	body      []byte

	tree   any               // of a JSON body
	page   *goquery.Document // of an HTML body
	parsed bool              // whether tree or page was tried
	good   bool              // whether that worked
}

// readAnswer reads and closes an answer.
func readAnswer(response *http.Response) (*answer, error) {
	defer response.Body.Close()
	a := &answer{status: response.StatusCode, header: response.Header}
	if mediaType, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err == nil {
		a.mediaType = mediaType
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer (%s): %w", a.summary(), err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer (%s) is larger than %d bytes", a.summary(), maxAnswer)
	}
	a.body = body
	return a, nil
}

// summary tells the operator what came, without anything of its content. The
// media type is the provider's text, so it is bounded.
func (a *answer) summary() string {
	mediaType := a.mediaType
	switch {
	case mediaType == "":
		mediaType = "none"
	case len(mediaType) > 64:
		mediaType = mediaType[:64]
	}
	told := fmt.Sprintf("status %d, content type %q", a.status, mediaType)
	if a.place != "" {
		told += ", to " + shortenTo(a.place, 128)
	}
	return told
}

// json returns the JSON tree, false when the answer says it is something else
// or is malformed.
func (a *answer) json() (any, bool) {
	if a.mediaType != "application/json" && !strings.HasSuffix(a.mediaType, "+json") {
		return nil, false
	}
	if !a.parsed {
		tree, err := parseJSON(a.body)
		a.tree, a.parsed, a.good = tree, true, err == nil
	}
	return a.tree, a.good
}

// html returns the page, false when the answer says it is something else.
func (a *answer) html() (*goquery.Document, bool) {
	if a.mediaType != "text/html" && a.mediaType != "application/xhtml+xml" {
		return nil, false
	}
	if !a.parsed {
		page, err := goquery.NewDocumentFromReader(bytes.NewReader(a.body))
		a.page, a.parsed, a.good = page, true, err == nil
	}
	return a.page, a.good
}
