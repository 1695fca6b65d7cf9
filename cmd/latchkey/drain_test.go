package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// askAcrossShutdown asks for a link with a body that comes only when the
// server has been told to end and has closed its door, and returns the status
// line of the answer. That the server is in the middle of the request it tells
// itself, by 100 Continue.
func askAcrossShutdown(s *server, key string) (string, error) {
	address := strings.TrimPrefix(s.url, "http://")
	connection, err := connect(address)
	if err != nil {
		return "", err
	}
	defer func() { _ = connection.Close() }()
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	const body = `{"clientReferenceId":"user_1"}`
	_, err = fmt.Fprintf(connection, "POST /v2/link/init HTTP/1.1\r\nHost: %s\r\napikey: %s\r\nExpect: 100-continue\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", address, key, len(body))
	if err != nil {
		return "", err
	}
	answers := bufio.NewReader(connection)
	if line, err := answers.ReadString('\n'); err != nil || !strings.Contains(line, " 100 ") {
		return "", fmt.Errorf("want 100 Continue, got %q: %w", line, err)
	}
	if _, err := answers.ReadString('\n'); err != nil { // the empty line after it
		return "", err
	}
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		return "", err
	}
	if err := untilClosed(address); err != nil {
		return "", err
	}
	if _, err := io.WriteString(connection, body); err != nil {
		return "", err
	}
	return answers.ReadString('\n')
}

// untilClosed returns when nobody listens at the address any more.
func untilClosed(address string) error {
	ticks := time.NewTicker(5 * time.Millisecond)
	defer ticks.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-ticks.C {
		connection, err := connect(address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return nil
		}
		if err == nil {
			_ = connection.Close()
		}
	}
	return errors.New("it goes on to accept connections after SIGTERM")
}

func connect(address string) (net.Conn, error) {
	return (&net.Dialer{Timeout: patience}).DialContext(context.Background(), "tcp", address)
}
