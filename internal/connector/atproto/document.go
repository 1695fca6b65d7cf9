package atproto

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"latchkey/internal/connector/jsonapi"
)

// Bounds of a DID document.
const (
	maxDocument  = 128 << 10
	maxEndpoint  = 512
	maxNames     = 64
	serviceType  = "AtprotoPersonalDataServer"
	serviceShort = "#atproto_pds"
)

// document is what is read of a DID document
// (atproto.com/specs/did, "DID Documents").
type document struct {
	ID          string    `json:"id"`
	AlsoKnownAs []string  `json:"alsoKnownAs"`
	Service     []service `json:"service"`
}

// service is one of a document's. The endpoint of one that is not ours may be
// anything.
type service struct {
	ID       string `json:"id"`
	Type     any    `json:"type"`
	Endpoint any    `json:"serviceEndpoint"`
}

// document fetches the document of a DID.
func (c *Connector) document(ctx context.Context, client *http.Client, did string) (document, error) {
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{
		URL: c.documentURL(did), Accept: "application/did+ld+json, application/json", Limit: maxDocument,
	})
	if err != nil {
		return document{}, fmt.Errorf("fetch the DID document: %w", err)
	}
	switch answer.Status {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone: // of the PLC directory: never there, or given up
		return document{}, fmt.Errorf("%w: no DID document", errUnknown)
	default:
		return document{}, fmt.Errorf("fetch the DID document: %w", answer.Unexpected())
	}
	var doc document
	if err := answer.Decode(&doc); err != nil {
		return document{}, fmt.Errorf("fetch the DID document: %w", err)
	}
	if doc.ID != did || len(doc.AlsoKnownAs) > maxNames || len(doc.Service) > maxNames {
		return document{}, fmt.Errorf("%w: the DID document is another's or too long", errUnknown)
	}
	return doc, nil
}

// documentURL returns where the document of a DID is: in the PLC directory, or
// at the host of a did:web.
func (c *Connector) documentURL(did string) *url.URL {
	host, web := strings.CutPrefix(did, "did:web:")
	if !web {
		return c.config.Directory.JoinPath(did)
	}
	target := &url.URL{Scheme: "https", Host: strings.Replace(host, "%3A", ":", 1), Path: "/.well-known/did.json"}
	if isLoopback(target.Hostname()) { // a DID that only development lets through
		target.Scheme = "http"
	}
	return target
}

// handleOf returns the first handle that a document claims, "" for none.
func (c *Connector) handleOf(doc document) string {
	for _, name := range doc.AlsoKnownAs {
		if handle, ok := strings.CutPrefix(name, "at://"); ok {
			if handle = strings.ToLower(handle); c.isHandle(handle) {
				return handle
			}
		}
	}
	return ""
}

// server returns the account's PDS: the first fitting service, whose endpoint
// is scheme and host alone.
func (c *Connector) server(doc document) (*url.URL, error) {
	for _, offered := range doc.Service {
		if offered.Type != serviceType || (offered.ID != serviceShort && offered.ID != doc.ID+serviceShort) {
			continue
		}
		endpoint, _ := offered.Endpoint.(string)
		target, err := url.Parse(endpoint)
		if err != nil || len(endpoint) > maxEndpoint || !c.mayCall(target) || strings.Trim(target.Path, "/") != "" {
			return nil, fmt.Errorf("%w: the address of its PDS can't be used", errUnknown)
		}
		return &url.URL{Scheme: target.Scheme, Host: target.Host}, nil
	}
	return nil, fmt.Errorf("%w: it has no PDS", errUnknown)
}
