package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

const secret = `tok/en+with=odd&<characters>"ä`

// shown returns what comes out of a body.
func shown(t *testing.T, m *mask, body io.Reader) string {
	t.Helper()
	masked := m.body(io.NopCloser(body), &lentBuffers{pool: newBufferPool()})
	out, err := io.ReadAll(masked)
	if err != nil {
		t.Fatal(err)
	}
	if err := masked.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := masked.Read(make([]byte, 1)); err == nil {
		t.Error("a closed body is read")
	}
	return string(out)
}

// shownInPlace is shown for who reads as the reverse proxy does.
func shownInPlace(t *testing.T, m *mask, body io.Reader) string {
	t.Helper()
	lent := &lentBuffers{pool: newBufferPool()}
	masked := m.body(io.NopCloser(body), lent)
	defer func() { _ = masked.Close() }()
	buffer := lent.Get()
	defer lent.Put(buffer)
	var out strings.Builder
	for {
		n, err := masked.Read(buffer)
		out.Write(buffer[:n])
		if err == io.EOF {
			return out.String()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestASecretOfPlainLettersIsMaskedOnceAndNeverShownInPart(t *testing.T) {
	m := &mask{}
	m.add([]byte("token-of-user_7.~"))
	if len(m.forms) != 1 {
		t.Errorf("it has %d forms", len(m.forms))
	}
	for cut := range len("token-of-user_7.~") {
		text := "tok token-of- token-of-user_7.~" + strings.Repeat("tok", cut) + "token-of-user_7.~"
		want := "tok token-of- *****************" + strings.Repeat("tok", cut) + "*****************"
		if got := shownInPlace(t, m, iotest.OneByteReader(strings.NewReader(text))); got != want {
			t.Errorf("%q", got)
		}
	}
}

func TestASecretIsMaskedInEveryFormAndLengthStays(t *testing.T) {
	m := &mask{}
	m.add([]byte(secret))
	for name, form := range map[string]string{
		"as it is": secret, "in JSON": `tok/en+with=odd&<characters>\"ä`, "in PHP's JSON": `tok\/en+with=odd&<characters>\"ä`,
		"in a query": "tok%2Fen%2Bwith%3Dodd%26%3Ccharacters%3E%22%C3%A4", "in lower case": "tok%2fen%2bwith%3dodd%26%3ccharacters%3e%22%c3%a4",
		"in a path": "tok%2Fen+with=odd&%3Ccharacters%3E%22%C3%A4", "in HTML": "tok/en+with=odd&amp;&lt;characters&gt;&#34;ä",
	} {
		want := "before " + strings.Repeat("*", len(form)) + " between " + strings.Repeat("*", len(form))
		text := "before " + form + " between " + form
		for reader, body := range map[string]io.Reader{
			"at once": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text)),
			"in halves": iotest.HalfReader(strings.NewReader(text)), "with its end": iotest.DataErrReader(strings.NewReader(text)),
		} {
			if got := shown(t, m, body); got != want {
				t.Errorf("%s, %s: %q", name, reader, got)
			}
		}
		for reader, body := range map[string]io.Reader{
			"at once": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text)),
			"in halves": iotest.HalfReader(strings.NewReader(text)), "with its end": iotest.DataErrReader(strings.NewReader(text)),
		} {
			if got := shownInPlace(t, m, body); got != want {
				t.Errorf("in place, %s, %s: %q", name, reader, got)
			}
		}
	}
}

func TestABodyWithoutASecretComesAsItIs(t *testing.T) {
	m := &mask{}
	m.add([]byte(secret))
	text := strings.Repeat("tok/en+with=odd ", 10_000) + "tok/e"
	if got := shown(t, m, strings.NewReader(text)); got != text {
		t.Error("it is another")
	}
	empty := io.NopCloser(strings.NewReader("x"))
	if (&mask{}).body(empty, &lentBuffers{}) != empty {
		t.Error("without a secret a body is wrapped")
	}
}

func TestASecretThatBreaksOffIsMaskedToo(t *testing.T) {
	m := &mask{}
	m.add([]byte(secret))
	if got := shown(t, m, strings.NewReader("x "+secret[:20])); got != "x "+strings.Repeat("*", 20) {
		t.Errorf("got %q", got)
	}
	body := m.body(io.NopCloser(io.MultiReader(strings.NewReader("x "+secret[:20]), iotest.ErrReader(errors.New("broke")))), &lentBuffers{pool: newBufferPool()})
	got, err := io.ReadAll(body)
	if err == nil || strings.Contains(string(got), "tok") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAnEventIsNotHeldBack(t *testing.T) {
	m := &mask{}
	m.add([]byte(secret))
	reader, writer := io.Pipe()
	body := m.body(reader, &lentBuffers{pool: newBufferPool()})
	go func() { _, _ = io.WriteString(writer, "data: 1\n\n") }()
	got := make([]byte, len("data: 1\n\n"))
	if _, err := io.ReadFull(body, got); err != nil || string(got) != "data: 1\n\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestASecretLongerThanTheBufferIsMasked(t *testing.T) {
	long := make([]byte, 4*bufferSize)
	state := uint32(1)
	for i := range long { // no piece of it stands in another place
		state = state*1664525 + 1013904223
		long[i] = "0123456789abcdef"[state>>28]
	}
	m := &mask{}
	m.add(long)
	if got := shown(t, m, bytes.NewReader(append([]byte("x"), long...))); strings.Trim(got, "*") != "x" {
		t.Errorf("%d bytes of it show", len(strings.Trim(got, "*")))
	}
	m.forget()
	if len(m.forms) != 0 {
		t.Error("it is not forgotten")
	}
}

func TestAHeaderIsMaskedInValuesAndNames(t *testing.T) {
	m := &mask{}
	m.add([]byte("Token-0123456789"))
	header := http.Header{
		"Location": {"https://a.example/?t=Token-0123456789&x"}, "X-Echo-Token-0123456789": {"1"}, "X-Twice": {"a", "Bearer Token-0123456789"},
	}
	m.header(header)
	want := http.Header{"Location": {"https://a.example/?t=****************&x"}, "X-Twice": {"a", "Bearer ****************"}}
	if len(header) != len(want) || header.Get("Location") != want.Get("Location") || header["X-Twice"][1] != want["X-Twice"][1] {
		t.Errorf("got %v", header)
	}
}
