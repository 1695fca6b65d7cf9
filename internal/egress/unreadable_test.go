package egress

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestAnErrorQuotesNothingOfTheAnswer(t *testing.T) {
	const echoed = "echoed-credential"
	for name, answer := range map[string]string{
		"no HTTP":                 echoed + " is no HTTP\r\n\r\n",
		"status":                  "HTTP/1.1 " + echoed + "\r\n\r\n",
		"header without a colon":  "HTTP/1.1 200 OK\r\n" + echoed + "\r\n\r\n",
		"length":                  "HTTP/1.1 200 OK\r\nContent-Length: " + echoed + "\r\n\r\n",
		"two lengths":             "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: " + echoed + "\r\n\r\n",
		"transfer encoding":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + echoed + "\r\n\r\n",
		"a trailer not permitted": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Length, " + echoed + "\r\n\r\n0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = listener.Close() }()
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				defer func() { _ = conn.Close() }()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.WriteString(conn, answer)
				}
			}()
			out := New(Config{AllowLoopback: true})
			defer out.Close()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String(), nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := out.Client(Provider).Do(request)
			if err == nil {
				_ = response.Body.Close()
				t.Fatal("the answer was accepted")
			}
			if strings.Contains(err.Error(), echoed) {
				t.Errorf("the error quotes the answer: %v", err)
			}
		})
	}
}
