package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"

	"latchkey"
)

// Bounds of what an operator's files hold, in bytes.
const (
	maxConfig     = 1 << 20
	maxSecretFile = 64 << 10 // a secret, a key, a URL with a password
)

// readBounded reads a file that must not be larger.
func readBounded(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	return text, nil
}

// readSecretFile reads a secret without the line ends behind it.
func readSecretFile(path string) (latchkey.Secret, error) {
	text, err := readBounded(path, maxSecretFile)
	if err != nil {
		return latchkey.Secret{}, err
	}
	trimmed := bytes.TrimRight(text, "\r\n")
	if len(trimmed) == 0 {
		return latchkey.Secret{}, fmt.Errorf("%s is empty", path)
	}
	return latchkey.NewSecret(trimmed), nil
}

// readYAML reads a file into a struct. Unknown keys are an error, so that a
// misspelt setting is never silently its default.
func readYAML(path string, into any) error {
	text, err := readBounded(path, maxConfig)
	if err != nil {
		return err
	}
	defer clear(text)
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
