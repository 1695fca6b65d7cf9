package atproto

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"latchkey/internal/connector/jsonapi"
)

// What a JSON answer over HTTPS takes from DNS (RFC 1035, sections 3.2.2 and
// 4.1.1).
const (
	typeTXT       = 16
	noError       = 0
	nameError     = 3 // the name does not exist
	maxDNSAnswer  = 64 << 10
	maxDNSRecords = 64
)

// dnsAnswer is an answer in the form that Google and Cloudflare share:
// developers.google.com/speed/public-dns/docs/doh/json.
type dnsAnswer struct {
	Status *int `json:"Status"`
	Answer []struct {
		Type int    `json:"type"`
		Data string `json:"data"`
	} `json:"Answer"`
}

// askDNS returns the DID of the TXT record at _atproto.<handle>, "" when there
// is none. Records with different DIDs are as good as none
// (atproto.com/specs/handle, "DNS TXT Method"). An error means that DNS could
// not be asked.
func (c *Connector) askDNS(ctx context.Context, client *http.Client, handle string) (string, error) {
	target := *c.config.Resolver
	query := target.Query()
	query.Set("name", "_atproto."+handle)
	query.Set("type", "TXT")
	target.RawQuery = query.Encode()
	answer, err := jsonapi.Do(ctx, client, jsonapi.Request{
		URL: &target, Accept: "application/dns-json", Limit: maxDNSAnswer,
	})
	if err != nil {
		return "", err
	}
	var dns dnsAnswer
	if !answer.OK() {
		return "", answer.Unexpected()
	}
	if err := answer.Decode(&dns); err != nil {
		return "", err
	}
	if dns.Status == nil || (*dns.Status != noError && *dns.Status != nameError) || len(dns.Answer) > maxDNSRecords {
		return "", answer.Unexpected()
	}
	return c.onlyDID(dns), nil
}

// onlyDID returns the one DID of an answer's records.
func (c *Connector) onlyDID(dns dnsAnswer) string {
	found := ""
	for _, record := range dns.Answer {
		did, ok := strings.CutPrefix(unquoteTXT(record.Data), "did=")
		if record.Type != typeTXT || !ok || !c.isDID(did) {
			continue
		}
		if found != "" && found != did {
			return ""
		}
		found = did
	}
	return found
}

// unquoteTXT joins the strings of a TXT record, which resolvers write with
// quotes or without. No DID has a quote or a space in it.
func unquoteTXT(data string) string {
	if !strings.HasPrefix(data, `"`) {
		return data
	}
	return strings.ReplaceAll(strings.ReplaceAll(data, `" "`, ""), `"`, "")
}

// isLoopback reports whether the host is this machine by name or address.
func isLoopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// mayCall reports whether the URL is one of a server that may be given a
// password or token: https, or http to this machine in development; without a
// user, a query or a fragment.
func (c *Connector) mayCall(target *url.URL) bool {
	plain := c.config.Loopback && target.Scheme == "http" && isLoopback(target.Hostname())
	return (target.Scheme == "https" || plain) && target.Hostname() != "" && target.User == nil &&
		target.RawQuery == "" && !target.ForceQuery && target.Fragment == "" && target.Opaque == ""
}
