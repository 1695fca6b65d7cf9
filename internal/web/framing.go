package web

import (
	"bytes"
	"errors"
	"strings"
)

// The bounds of what frames a request, in bytes.
const (
	maxFramingLine = 1 << 20 // net/http's own bound of a header comes first
	maxChunkLine   = 1 << 10
	maxLength      = 18 // digits of a length: less than 2^63
	maxChunkDigits = 15 // hexadecimal digits of a chunk's size: less than 2^60
	keptLine       = 4 << 10
)

// errFraming is the error of bytes that are no plain HTTP/1.1. net/http
// answers any error of its reader that is not the network's with 400 and closes
// the connection.
var errFraming = errors.New("the request is not framed as HTTP/1.1 wants it")

// part is where in a request its next byte stands.
type part int

// The parts.
const (
	partRequestLine part = iota
	partHeader
	partBody
	partChunkLine
	partChunk
	partChunkEnd
	partTrailer
)

// framing reads along with net/http where each request of a connection begins
// and ends, and refuses what two servers could read in two ways (RFC 9112,
// section 11.2): lines that do not end in CR LF, folded lines, a length beside
// a transfer coding, a length given twice or padded, any coding but chunked.
// What it lets through is a part of what net/http understands, and has one
// reading; what it refuses would be a matter of taste. It changes nothing.
type framing struct {
	at   part
	line []byte // what there is of the line; only for parts that are lines
	left int64  // bytes of the body or chunk that are still to come

	old       bool // HTTP/1.0
	hasLength bool
	length    int64
	chunked   bool
}

// take reads along. It returns how many of the bytes are good, and an error if
// that is not all.
func (f *framing) take(p []byte) (good int, err error) {
	for good < len(p) {
		rest := p[good:]
		switch f.at {
		case partBody, partChunk:
			n := min(f.left, int64(len(rest)))
			f.left -= n
			good += int(n)
			if f.left == 0 {
				f.endOfBytes()
			}
			continue
		}
		line, n, err := f.readLine(rest)
		if err != nil {
			return good, err
		}
		good += n
		if line == nil {
			continue
		}
		if err := f.takeLine(line); err != nil {
			return good - 1, err // its end has not been handed on
		}
		if f.line = f.line[:0]; cap(f.line) > keptLine {
			f.line = nil
		}
	}
	return good, nil
}

// readLine adds to the line and returns it, without its end, when it is there.
func (f *framing) readLine(p []byte) (line []byte, n int, err error) {
	end := bytes.IndexByte(p, '\n')
	n = end + 1
	if end < 0 {
		n = len(p)
	}
	bound := maxFramingLine
	switch f.at {
	case partChunkLine:
		bound = maxChunkLine
	case partChunkEnd:
		bound = len("\r\n")
	}
	if len(f.line)+n > bound {
		return nil, 0, errFraming
	}
	f.line = append(f.line, p[:n]...)
	// A CR is the last byte but one, or the last of a line that is not complete.
	if cr := bytes.IndexByte(f.line, '\r'); cr >= 0 && cr < len(f.line)-1 && !(end >= 0 && cr == len(f.line)-2) {
		return nil, 0, errFraming
	}
	if end < 0 {
		return nil, n, nil
	}
	line, ok := bytes.CutSuffix(f.line, []byte("\r\n"))
	if !ok {
		return nil, 0, errFraming
	}
	return line, n, nil
}

// takeLine takes a whole line.
func (f *framing) takeLine(line []byte) error {
	switch f.at {
	case partRequestLine:
		return f.requestLine(line)
	case partHeader:
		if len(line) == 0 {
			return f.endOfHeader()
		}
		return f.field(line)
	case partChunkLine:
		return f.chunkLine(line)
	case partChunkEnd:
		f.at = partChunkLine
		if len(line) != 0 {
			return errFraming
		}
	case partTrailer:
		if len(line) == 0 {
			*f = framing{line: f.line}
			return nil
		}
		name, _, err := splitField(line)
		if err != nil || isFraming(name) {
			return errFraming
		}
	}
	return nil
}

// requestLine takes "GET /path HTTP/1.1". An empty line before it is let
// through: net/http knows whether it bears that.
func (f *framing) requestLine(line []byte) error {
	if len(line) == 0 {
		return nil
	}
	method, rest, _ := bytes.Cut(line, []byte(" "))
	target, version, _ := bytes.Cut(rest, []byte(" "))
	f.old = string(version) == "HTTP/1.0"
	if len(method) == 0 || len(target) == 0 || (!f.old && string(version) != "HTTP/1.1") {
		return errFraming
	}
	f.at = partHeader
	return nil
}

// field takes a line of the header.
func (f *framing) field(line []byte) error {
	name, value, err := splitField(line)
	if err != nil {
		return err
	}
	switch strings.ToLower(name) {
	case "content-length":
		if f.hasLength || len(value) == 0 || len(value) > maxLength || (value[0] == '0' && len(value) > 1) {
			return errFraming
		}
		for _, digit := range []byte(value) {
			if digit < '0' || digit > '9' {
				return errFraming
			}
			f.length = f.length*10 + int64(digit-'0')
		}
		f.hasLength = true
	case "transfer-encoding":
		if f.chunked || f.old || !strings.EqualFold(value, "chunked") {
			return errFraming
		}
		f.chunked = true
	}
	return nil
}

// isFraming reports whether a field says how long a request is.
func isFraming(name string) bool {
	return strings.EqualFold(name, "content-length") || strings.EqualFold(name, "transfer-encoding")
}

// splitField returns the name and value of a field. A line that begins with
// white space would be the rest of the one before, and white space before the
// colon a part of the name for some (RFC 9112, section 5.1).
func splitField(line []byte) (name, value string, err error) {
	before, after, ok := strings.Cut(string(line), ":")
	if !ok || before == "" || strings.ContainsFunc(before, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		return "", "", errFraming
	}
	return before, strings.Trim(after, " \t"), nil
}

// endOfHeader finds out how the body goes on.
func (f *framing) endOfHeader() error {
	switch {
	case f.chunked && f.hasLength:
		return errFraming
	case f.chunked:
		f.at = partChunkLine
	case f.length > 0:
		f.at, f.left = partBody, f.length
	default:
		*f = framing{line: f.line}
	}
	return nil
}

// chunkLine takes the size of a chunk, in hexadecimal, and its extensions.
func (f *framing) chunkLine(line []byte) error {
	size, extension, _ := bytes.Cut(line, []byte(";"))
	if len(size) == 0 || len(size) > maxChunkDigits || bytes.ContainsFunc(extension, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return errFraming
	}
	f.left = 0
	for _, digit := range size {
		at := strings.IndexByte("0123456789abcdef", lowered(digit))
		if at < 0 {
			return errFraming
		}
		f.left = f.left<<4 | int64(at)
	}
	f.at = partChunk
	if f.left == 0 {
		f.at = partTrailer
	}
	return nil
}

func lowered(c byte) byte {
	if c >= 'A' && c <= 'F' {
		return c + 'a' - 'A'
	}
	return c
}

// endOfBytes goes on after a body or a chunk.
func (f *framing) endOfBytes() {
	if f.at == partChunk {
		f.at = partChunkEnd
		return
	}
	*f = framing{line: f.line}
}
