package connector

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestABodyIsClearedWhenItIsClosed(t *testing.T) {
	secret := []byte("good-password")
	body := newSecretBody(secret)
	first := make([]byte, 4)
	if n, err := body.Read(first); n != 4 || err != nil {
		t.Fatal(n, err)
	}
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(secret, make([]byte, len(secret))) {
		t.Error("the bytes are still there")
	}
	if n, err := body.Read(first); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("a closed body gives %d bytes, %v", n, err)
	}
	own := []byte("good-password")
	if err := NewSecretBody(own).Close(); err != nil || string(own) != "good-password" {
		t.Errorf("the caller's own bytes were cleared: %v", err)
	}
}
