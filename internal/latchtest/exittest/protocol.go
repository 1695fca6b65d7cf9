package exittest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
)

// connect answers a request for a tunnel by HTTP.
func (p *Proxy) connect(conn net.Conn) (from io.Reader, target string, ok bool) {
	reader := bufio.NewReader(conn)
	request, err := http.ReadRequest(reader)
	if err != nil {
		return nil, "", false
	}
	status := int(p.refuse.Load())
	if request.Method != http.MethodConnect {
		status = http.StatusMethodNotAllowed
	}
	expected := &http.Request{Header: http.Header{}}
	expected.SetBasicAuth(p.options.User, p.options.Password)
	if p.options.User != "" && request.Header.Get("Proxy-Authorization") != expected.Header.Get("Authorization") {
		status = http.StatusProxyAuthRequired
	}
	p.note(request.RequestURI)
	if status != 0 {
		_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n", status)
		return nil, "", false
	}
	_, err = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
	return reader, request.RequestURI, err == nil
}

// socks answers a request for a tunnel by SOCKS5 (RFC 1928, RFC 1929).
func (p *Proxy) socks(conn net.Conn) (from io.Reader, target string, ok bool) {
	reader := bufio.NewReader(conn)
	if !p.authenticate(reader, conn) {
		return nil, "", false
	}
	head := read(reader, 4)
	if head == nil {
		return nil, "", false
	}
	var host string
	switch head[3] {
	case 1, 4:
		address, _ := netip.AddrFromSlice(read(reader, map[byte]int{1: 4, 4: 16}[head[3]]))
		host = address.String()
	case 3:
		if length := read(reader, 1); length != nil {
			host = string(read(reader, int(length[0])))
		}
	}
	port := read(reader, 2)
	if port == nil {
		return nil, "", false
	}
	target = net.JoinHostPort(host, strconv.Itoa(int(port[0])<<8|int(port[1])))
	p.note(target)
	reply := byte(p.refuse.Load())
	_, err := conn.Write([]byte{5, reply, 0, 1, 0, 0, 0, 0, 0, 0})
	return reader, target, err == nil && reply == 0
}

// authenticate does the first two rounds of SOCKS5.
func (p *Proxy) authenticate(reader io.Reader, conn net.Conn) bool {
	head := read(reader, 2)
	if head == nil || read(reader, int(head[1])) == nil {
		return false
	}
	if p.options.User == "" {
		_, err := conn.Write([]byte{5, 0})
		return err == nil
	}
	if _, err := conn.Write([]byte{5, 2}); err != nil {
		return false
	}
	var got [2]string
	if read(reader, 1) == nil {
		return false
	}
	for i := range got {
		length := read(reader, 1)
		if length == nil {
			return false
		}
		got[i] = string(read(reader, int(length[0])))
	}
	if got != [2]string{p.options.User, p.options.Password} {
		_, _ = conn.Write([]byte{1, 1})
		return false
	}
	_, err := conn.Write([]byte{1, 0})
	return err == nil
}

// read returns the next bytes, nil when they don't come.
func read(from io.Reader, count int) []byte {
	buffer := make([]byte, count)
	if _, err := io.ReadFull(from, buffer); err != nil {
		return nil
	}
	return buffer
}
