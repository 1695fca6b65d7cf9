package app

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"latchkey"
	"latchkey/internal/egress"
	"latchkey/internal/vault"
)

// KMS says where a key management service is that wraps the data keys in the
// place of the key file. It speaks the API of HashiCorp Vault's transit engine.
type KMS struct {
	URL       string        `yaml:"url"`        // of the server, like https://vault.example.com:8200; empty: the key file wraps
	Mount     string        `yaml:"mount"`      // where the transit engine is mounted; default transit
	Key       string        `yaml:"key"`        // name of the encryption key; default latchkey
	TokenFile string        `yaml:"token_file"` // file with the token; read at each use, so that it may be renewed
	CAFile    string        `yaml:"ca_file"`    // PEM, in place of the system's certificates
	Timeout   time.Duration `yaml:"timeout"`    // of one request; default 5s
}

// kmsName is what a mount and a key may be called: neither leaves its place in
// a URL.
var kmsName = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_.-]{0,127}$`)

// wrapper makes the client of the service; nil when none is configured.
func (k KMS) wrapper() (vault.Wrapper, error) {
	if k == (KMS{}) {
		return nil, nil
	}
	mount, key := cmp.Or(k.Mount, "transit"), cmp.Or(k.Key, "latchkey")
	timeout := cmp.Or(k.Timeout, 5*time.Second)
	server, err := url.Parse(k.URL)
	switch {
	case err != nil || server.Host == "" || server.User != nil || server.RawQuery != "" || server.Fragment != "":
		return nil, errors.New("kms.url must be like https://vault.example.com:8200")
	case !kmsName.MatchString(mount):
		return nil, errors.New("kms.mount must be a name like transit")
	case !kmsName.MatchString(key):
		return nil, errors.New("kms.key must be a name like latchkey")
	case k.TokenFile == "":
		return nil, errors.New("kms.token_file is missing: the file with the token for the service")
	case timeout < time.Millisecond || timeout > time.Minute:
		return nil, errors.New("kms.timeout must be between 1ms and 1m")
	}
	var roots *x509.CertPool
	if k.CAFile != "" {
		text, err := readBounded(k.CAFile, maxConfig)
		if err != nil {
			return nil, fmt.Errorf("kms.ca_file: %w", err)
		}
		if roots = x509.NewCertPool(); !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("kms.ca_file: %s holds no certificate in PEM", k.CAFile)
		}
	}
	client, err := egress.Operator(server, roots, timeout)
	if err != nil {
		return nil, fmt.Errorf("kms.url: %w", err)
	}
	return vault.NewTransit(vault.TransitConfig{
		URL: server, Mount: mount, Key: key, Client: client,
		Token: func() (latchkey.Secret, error) { return readSecretFile(k.TokenFile) },
	}), nil
}
