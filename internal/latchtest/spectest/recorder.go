package spectest

import (
	"io"
	"net/http"
)

// How much of a body is kept, in bytes. What is longer is not judged.
const (
	requestKept  = 64 << 10
	responseKept = 1 << 20
)

// Recorder holds everything that goes through a handler against the
// description, and reports each finding before the handler returns: from the
// goroutine that serves the request, perhaps of many at once.
//
// Nothing is held back: a request is read by the handler as it comes, an
// answer goes out as it is written, and http.ResponseController reaches the
// writer beneath. The bodies of operations marked with x-latchkey-pass-through
// are not copied. An answer that the handler broke off by panicking is not
// judged.
func Recorder(next http.Handler, spec *Spec, report func(finding string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found := spec.find(r.Method, r.URL.EscapedPath())
		passes := found != nil && found.passThrough
		exchange := Exchange{
			Method: r.Method, Path: r.URL.RequestURI(), RequestHeader: r.Header.Clone(), RequestCut: passes, ResponseCut: passes,
		}
		taken := &keptBody{ReadCloser: r.Body}
		if !passes && r.Body != nil && r.Body != http.NoBody {
			copied := *r // the server's own request stays as it is
			copied.Body = taken
			r = &copied
		}
		given := &keptAnswer{ResponseWriter: w, passes: passes}
		next.ServeHTTP(given, r)
		given.begin(http.StatusOK) // where the handler wrote nothing
		exchange.RequestBody, exchange.RequestCut = taken.kept, exchange.RequestCut || taken.cut
		exchange.Status, exchange.ResponseHeader = given.status, given.header
		exchange.ResponseBody, exchange.ResponseCut = given.kept, exchange.ResponseCut || given.cut
		for _, finding := range spec.Check(exchange) {
			report(finding)
		}
	})
}

// keptBody keeps what is read of a request's body.
type keptBody struct {
	io.ReadCloser
	kept []byte
	cut  bool
}

// Read reads, and keeps the beginning.
func (k *keptBody) Read(p []byte) (int, error) {
	n, err := k.ReadCloser.Read(p)
	k.kept, k.cut = keep(k.kept, p[:n], requestKept, k.cut)
	return n, err
}

// keptAnswer keeps what is written of an answer.
type keptAnswer struct {
	http.ResponseWriter
	passes bool
	status int
	header http.Header // as it was when the answer began
	kept   []byte
	cut    bool
}

// WriteHeader begins the answer, unless it only informs.
func (k *keptAnswer) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		k.begin(status)
	}
	k.ResponseWriter.WriteHeader(status)
}

// Write writes, and keeps the beginning.
func (k *keptAnswer) Write(p []byte) (int, error) {
	k.begin(http.StatusOK)
	n, err := k.ResponseWriter.Write(p)
	if !k.passes {
		k.kept, k.cut = keep(k.kept, p[:n], responseKept, k.cut)
	}
	return n, err
}

// Unwrap gives http.ResponseController the writer beneath.
func (k *keptAnswer) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// begin notes the first status that counts.
func (k *keptAnswer) begin(status int) {
	if k.status == 0 {
		k.status, k.header = status, k.Header().Clone()
	}
}

// keep appends as much as fits below the bound, and reports whether anything
// did not.
func keep(kept, more []byte, bound int, cut bool) ([]byte, bool) {
	if fits := bound - len(kept); len(more) > fits {
		return append(kept, more[:fits]...), true
	}
	return append(kept, more...), cut
}
