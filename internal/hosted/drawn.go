package hosted

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"latchkey"
	"latchkey/internal/web"
)

// How much is kept, in bytes: some thousand pages, and the policies of as many
// apps.
const (
	drawnBound  = 8 << 20
	policyBound = 1 << 20
)

// drawn keeps pages that are the same for everybody as they were drawn: by the
// templates, with their escaping by context. What differs is the client secret
// in the paths of a page. It is drawn with a secret that opens nothing and that
// nobody knows, and cut where that one stands; another fits in its place, since
// both are letters and digits, which every context takes as they are.
type drawn struct {
	standIn string
	pages   *memo[[][]byte] // by likeness; the pieces between the client secrets
	// policies are those of pages, by who may frame them and where they lead.
	policies *memo[web.Policy]
	spaces   sync.Pool // of *space
}

// space is what one answer is put together in.
type space struct {
	like     likeness
	document []byte
}

func newDrawn() *drawn {
	return &drawn{
		standIn: latchkey.NewSecretID(rand.Reader, latchkey.PrefixClientSecret),
		pages:   newMemo[[][]byte](drawnBound), policies: newMemo[web.Policy](policyBound),
		spaces: sync.Pool{New: func() any { return &space{like: make([]byte, 0, 1<<10), document: make([]byte, 0, 8<<10)} }},
	}
}

// write is writePage for the page of a session.
func (d *drawn) write(w http.ResponseWriter, status int, page *Page) error {
	s := d.spaces.Get().(*space)
	defer d.spaces.Put(s)
	like, shared := likenessOf(s.like[:0], page)
	s.like = like
	if !shared {
		return writePage(w, status, *page)
	}
	pieces, known := d.pages.find(like)
	if !known {
		var err error
		if pieces, err = d.draw(*page); err != nil {
			return err
		}
		d.pages.keep(like, pieces, sizeOf(pieces))
	}
	document := append(s.document[:0], pieces[0]...)
	for _, piece := range pieces[1:] {
		document = append(append(document, page.Secret...), piece...)
	}
	s.document = document
	writeDocument(w, status, document)
	clear(document) // of the secret
	return nil
}

// policy is that of the pages which these origins may frame, and which lead to
// the app in the end.
func (d *drawn) policy(origins []string, redirectURL string) web.Policy {
	s := d.spaces.Get().(*space)
	defer d.spaces.Put(s)
	s.like = s.like[:0]
	s.like.text(redirectURL)
	for _, origin := range origins {
		s.like.text(origin)
	}
	policy, known := d.policies.find(s.like)
	if !known {
		policy = web.FramingPolicy(origins, []string{formTarget(redirectURL)})
		d.policies.keep(s.like, policy, policy.Size())
	}
	return policy
}

// draw draws the page with the secret that opens nothing, and returns the
// pieces around it.
func (d *drawn) draw(page Page) ([][]byte, error) {
	secret := page.Secret
	stand := func(path string) string { return strings.ReplaceAll(path, secret, d.standIn) }
	page.Secret, page.RequestID = d.standIn, ""
	page.Action, page.EventsPath = stand(page.Action), stand(page.EventsPath)
	if away, ok := page.Content.(Redirect); ok {
		page.Content = Redirect{Path: stand(away.Path)}
	}
	var document bytes.Buffer
	if err := Render(&document, page); err != nil {
		return nil, err
	}
	return bytes.Split(document.Bytes(), []byte(d.standIn)), nil
}

// sizeOf is what pieces take, in bytes.
func sizeOf(pieces [][]byte) int {
	const header = 24
	size := 0
	for _, piece := range pieces {
		size += len(piece) + header
	}
	return size
}

// writeDocument answers with a page.
func writeDocument(w http.ResponseWriter, status int, document []byte) {
	header := w.Header()
	header["Content-Type"] = htmlType
	header["Content-Length"] = []string{strconv.Itoa(len(document))}
	w.WriteHeader(status)
	_, _ = w.Write(document)
}

// htmlType is the header of every page. It is shared, and nobody changes it.
var htmlType = []string{"text/html; charset=utf-8"}
