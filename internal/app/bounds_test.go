package app_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/app"
	"latchkey/internal/link"
)

// bomb is a request that has too much of something, or as much as may be.
type bomb struct {
	name    string
	method  string
	query   string
	headers string // whole lines
	kind    string // content type of the body
	body    string
	api     []int // what the API may answer
	page    []int // what a page may answer
}

// numbered writes n things, each with its number.
func numbered(format string, n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, format, i)
	}
	return text.String()
}

const (
	formBody = "application/x-www-form-urlencoded"
	jsonBody = "application/json"
	parts    = "multipart/form-data; boundary=x"
)

// bombs returns what is thrown at an API route and a page.
func bombs() []bomb {
	tooMuch, fine, list := []int{431}, []int{200}, []int{200, 400}
	return []bomb{
		{name: "100,000 cookies", headers: "Cookie: " + strings.Repeat("a=;", 100_000) + "\r\n", api: tooMuch, page: tooMuch},
		{name: "100,000 cookie headers", headers: strings.Repeat("Cookie: a=\r\n", 100_000), api: tooMuch, page: tooMuch},
		{name: "100,000 query parameters", query: "?" + strings.Repeat("a=&", 100_000), api: tooMuch, page: tooMuch},
		{name: "100,000 different query parameters", query: "?" + numbered("p%d&", 100_000), api: tooMuch, page: tooMuch},
		{name: "a header of 1 MB", headers: "X-Long: " + strings.Repeat("x", 1<<20) + "\r\n", api: tooMuch, page: tooMuch},
		{name: "a header name of 1 MB", headers: strings.Repeat("x", 1<<20) + ": y\r\n", api: []int{400, 431}, page: []int{400, 431}},
		{name: "10,000 headers", headers: numbered("X-%d: y\r\n", 10_000), api: tooMuch, page: tooMuch},
		{name: "a path of 1 MB", query: "/" + strings.Repeat("x", 1<<20), api: tooMuch, page: tooMuch},
		{name: "60 KB of cookies", headers: "Cookie: " + strings.Repeat("a=;", 20_000) + "\r\n", api: fine, page: fine},
		{name: "60 KB of headers", headers: strings.Repeat("A: b\r\n", 10_000), api: fine, page: fine},
		{name: "60 KB of different headers", headers: numbered("X-%d: y\r\n", 5_000), api: fine, page: fine},
		{name: "60 KB of query parameters", query: "?" + strings.Repeat("a&", 30_000), api: list, page: list},
		{name: "60 KB of different query parameters", query: "?" + numbered("%x&", 12_000), api: list, page: list},
		{name: "60 KB of escapes", query: "?limit=1&theme=" + strings.Repeat("%41", 20_000), api: fine, page: fine},
		{name: "20,000 forwarded addresses", headers: "X-Forwarded-For: " + strings.Repeat("1.1,", 15_000) + "\r\n", api: fine, page: fine},
		{name: "several parts", method: "POST", kind: parts, body: "--x\r\nContent-Disposition: form-data; name=\"version\"\r\n\r\n1\r\n--x--\r\n", api: []int{415}, page: []int{415}},
		{name: "10,000 parts", method: "POST", kind: parts, body: numbered("--x\r\nContent-Disposition: form-data; name=\"p%d\"\r\n\r\n1\r\n", 10_000) + "--x--\r\n", api: []int{415}, page: []int{415}},
		{name: "a boundary of 30 KB", method: "POST", kind: "multipart/form-data; boundary=" + strings.Repeat("x", 30_000), body: "x", api: []int{415}, page: []int{415}},
		{name: "a content type of many parameters", method: "POST", kind: formBody + numbered("; p%d=1", 5_000), body: "version=1", api: []int{415}, page: []int{303}},
		{name: "100,000 form fields", method: "POST", kind: formBody, body: numbered("f%d=x&", 100_000), api: []int{415}, page: []int{413}},
		{name: "100,000 form fields of one name", method: "POST", kind: formBody, body: strings.Repeat("a=&", 100_000), api: []int{415}, page: []int{413}},
		{name: "32 KiB of form fields", method: "POST", kind: formBody, body: numbered("%x&", 6_000), api: []int{415}, page: []int{400}},
		{name: "32 KiB of ampersands", method: "POST", kind: formBody, body: strings.Repeat("&", 32<<10), api: []int{415}, page: []int{400}},
		{name: "100,000 JSON keys", method: "POST", kind: jsonBody, body: "{" + numbered(`"k%d":0,`, 100_000) + `"k":0}`, api: []int{413}, page: []int{415}},
		{name: "a body of 10 MB", method: "POST", kind: jsonBody, body: strings.Repeat(" ", 10<<20), api: []int{413}, page: []int{415}},
	}
}

// text returns the request as it goes over the wire.
func (b bomb) text(path, key string) string {
	method := b.method
	if method == "" {
		method = http.MethodGet
	}
	headers := "Host: latchkey\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n"
	if key != "" {
		headers += "apikey: " + key + "\r\n"
	}
	if b.kind != "" {
		headers += fmt.Sprintf("Content-Type: %s\r\nContent-Length: %d\r\n", b.kind, len(b.body))
	}
	return method + " " + path + b.query + " HTTP/1.1\r\n" + headers + b.headers + "\r\n" + b.body
}

// throw sends bytes and returns the status of the answer.
func throw(t *testing.T, address string, request []byte) int {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = connection.Write(request) // the server may hang up before the end
	}()
	line, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	_ = connection.Close()
	<-sent
	var status int
	if _, err := fmt.Sscanf(line, "HTTP/1.1 %d", &status); err != nil {
		t.Fatalf("answer %q", line)
	}
	return status
}

// allocated returns how many bytes a thing allocates in the whole process, at
// the best of several times: the background has its own.
func allocated(run func()) uint64 {
	least := ^uint64(0)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		run()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

func TestHeadersCookiesAndParametersAreBounded(t *testing.T) {
	const most = 4 << 20
	s := serve(t, app.Config{})
	trial, err := s.app.Trial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	begun, err := s.app.Links().Init(t.Context(), latchkey.Caller{
		OrganisationID: trial.OrganisationID, Environment: latchkey.Sandbox,
	}, link.InitRequest{ModeHint: "redirect"})
	if err != nil {
		t.Fatal(err)
	}
	wrong, thrown, largest, address := 0, 0, uint64(0), strings.TrimPrefix(s.url, "http://")
	try := func(b bomb, request string, want []int) {
		var status int
		sent := []byte(request)
		bytes := allocated(func() { status = throw(t, address, sent) })
		thrown, largest = thrown+1, max(largest, bytes)
		if !slices.Contains(want, status) || bytes > most {
			wrong++
			t.Errorf("%s at %.30q: status %d, want %v, with %d bytes", b.name, request, status, want, bytes)
		}
		if alive, _ := get(t, s.url+"/healthz"); alive != http.StatusOK {
			t.Fatalf("after %s the server is not alive: %d", b.name, alive)
		}
	}
	for _, b := range bombs() {
		api := "/v2/link/sessions"
		if b.method == http.MethodPost {
			api = "/v2/link/init"
		}
		try(b, b.text(api, trial.APIKey), b.api)
		try(b, b.text("/"+begun.Secret, ""), b.page)
	}
	fmt.Printf("RESULT L-4 %d 0\n", wrong)
	fmt.Printf("RESULT L-4.n %d 50\n", thrown)
	fmt.Printf("RESULT L-4.bytes %d %d\n", largest, most)
}
