package egress

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"latchkey"
	"latchkey/internal/latchtest/exittest"
)

// authority issues certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	now         time.Time
}

// newAuthority makes an authority that may only vouch for names below the
// permitted one, or for all when it is empty.
func newAuthority(t *testing.T, permitted string) *authority {
	t.Helper()
	a := &authority{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority " + permitted},
		NotBefore: a.now.AddDate(-1, 0, 0), NotAfter: a.now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	if permitted != "" {
		template.PermittedDNSDomains, template.PermittedDNSDomainsCritical = []string{permitted}, true
	}
	a.certificate = sign(t, template, template, a.key, a.key)
	return a
}

// issue returns a certificate for the name, good until the time.
func (a *authority) issue(t *testing.T, name string, until time.Time) tls.Certificate {
	t.Helper()
	key := newKey(t)
	leaf := sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: a.now.AddDate(-1, 0, 0), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, a.certificate, key, a.key)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// serveTLS serves https on loopback and returns its port.
func serveTLS(t *testing.T, config *tls.Config, handler http.HandlerFunc) uint16 {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS, server.EnableHTTP2 = config, true
	server.StartTLS()
	t.Cleanup(server.Close)
	return portOfServer(t, server.URL)
}

func TestTLS(t *testing.T) {
	trusted, stranger, narrow := newAuthority(t, ""), newAuthority(t, ""), newAuthority(t, "elsewhere.example")
	roots := x509.NewCertPool()
	roots.AddCert(trusted.certificate)
	roots.AddCert(narrow.certificate)
	config := Config{
		AllowLoopback: true, RootCAs: roots, Resolver: resolver(t, toLoopback),
		Now: func() time.Time { return trusted.now },
	}
	for country, scheme := range map[string]string{"DE": "http", "FR": "socks5"} {
		config.Exits = append(config.Exits, Exit{Proxy: exittest.Start(t, exittest.Options{Scheme: scheme}).URL, Country: country})
	}
	e := newFenced(t, config)
	clients := map[string]*http.Client{}
	for _, purpose := range purposes {
		clients[string(purpose)] = e.Client(purpose)
	}
	for _, exit := range config.Exits {
		way := Way{Key: "ls_1", Place: &latchkey.Geolocation{Country: exit.Country}}
		clients["through "+exit.Proxy.Scheme] = e.ClientFor(Provider, way)
	}

	const name = "site.example"
	later := trusted.now.AddDate(1, 0, 0)
	hello := func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }
	get := func(client *http.Client, port uint16) (string, error) {
		response, err := client.Get("https://" + name + ":" + portText(port))
		if err != nil {
			return "", err
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		return string(body), err
	}

	t.Run("a good certificate is accepted and HTTP/2 spoken", func(t *testing.T) {
		port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{trusted.issue(t, name, later)}}, hello)
		for purpose, client := range clients {
			if protocol, err := get(client, port); err != nil || protocol != "HTTP/2.0" {
				t.Errorf("%s: %q, %v", purpose, protocol, err)
			}
		}
	})
	t.Run("TLS 1.2 is accepted", func(t *testing.T) {
		port := serveTLS(t, &tls.Config{MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{trusted.issue(t, name, later)}}, hello)
		if _, err := get(e.Client(Provider), port); err != nil {
			t.Error(err)
		}
	})
	t.Run("a header of 1 MB is refused over HTTP/2 too", func(t *testing.T) {
		port := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{trusted.issue(t, name, later)}}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Large", strings.Repeat("x", 1<<20))
		})
		for purpose, client := range clients {
			if _, err := get(client, port); err == nil {
				t.Errorf("%s: it was taken", purpose)
			}
		}
	})

	accepted, tried := 0, 0
	for _, c := range []struct {
		name   string
		config *tls.Config
	}{
		{"a certificate of an unknown authority", &tls.Config{Certificates: []tls.Certificate{stranger.issue(t, name, later)}}},
		{"a self-signed certificate", &tls.Config{Certificates: []tls.Certificate{selfSigned(t, trusted, name)}}},
		{"an expired certificate", &tls.Config{Certificates: []tls.Certificate{trusted.issue(t, name, trusted.now.Add(-time.Second))}}},
		{"a certificate for another name", &tls.Config{Certificates: []tls.Certificate{trusted.issue(t, "other.example", later)}}},
		{"an authority that may not vouch for the name", &tls.Config{Certificates: []tls.Certificate{narrow.issue(t, name, later)}}},
		{"TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11, Certificates: []tls.Certificate{trusted.issue(t, name, later)}}},
		{"TLS 1.0", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10, Certificates: []tls.Certificate{trusted.issue(t, name, later)}}},
	} {
		t.Run(c.name+" is refused", func(t *testing.T) {
			port := serveTLS(t, c.config, hello)
			for purpose, client := range clients {
				tried++
				if _, err := get(client, port); err == nil {
					accepted++
					t.Errorf("%s: it was accepted", purpose)
				}
			}
		})
	}
	fmt.Printf("RESULT E-8 %d 0\nRESULT E-8.n %d 35\n", accepted, tried)
}

// selfSigned returns a certificate that vouches for itself.
func selfSigned(t *testing.T, a *authority, name string) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(3), DNSNames: []string{name},
		NotBefore: a.now.AddDate(-1, 0, 0), NotAfter: a.now.AddDate(1, 0, 0),
	}
	return tls.Certificate{Certificate: [][]byte{sign(t, template, template, key, key).Raw}, PrivateKey: key}
}
