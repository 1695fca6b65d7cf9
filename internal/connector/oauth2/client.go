package oauth2

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
)

// clientRequest is a POST in which the client authenticates itself.
type clientRequest struct {
	endpoint   string // for errors
	address    string
	method     string // "": POST
	format     string // form (usual), json or query
	header     map[string]string
	parameters parameters
	named      bool // the client's id is among the parameters already
}

// headers returns the headers that the file adds.
func (q clientRequest) headers() http.Header {
	header := http.Header{}
	for name, value := range q.header {
		header.Set(name, value)
	}
	return header
}

// ask sends a request with the client's authentication. The caller closes the
// answer.
func (v *visit) ask(ctx context.Context, s *server, q clientRequest) (*answer, error) {
	header := q.headers()
	parameters, err := v.authenticate(s, q, header)
	if err != nil {
		return nil, err
	}
	return v.send(ctx, q, parameters, header)
}

// send sends parameters in the request's format.
func (v *visit) send(ctx context.Context, q clientRequest, parameters parameters, header http.Header) (*answer, error) {
	out := request{endpoint: q.endpoint, method: orElse(q.method, http.MethodPost), address: q.address, header: header}
	var err error
	switch {
	case len(parameters) == 0: // nor is there a body
	case q.format == "query":
		out.address = addQuery(q.address, parameters)
	case q.format == "json":
		header.Set("Content-Type", "application/json")
		out.body, err = parameters.json()
	default:
		header.Set("Content-Type", "application/x-www-form-urlencoded")
		out.body = parameters.form()
	}
	defer clear(out.body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", q.endpoint, err)
	}
	return v.fetch(ctx, out)
}

// authentication returns how the client authenticates itself: as the file
// says, else as the client can and the server's metadata allows.
func (v *visit) authentication(s *server) string {
	switch {
	case v.config.ClientAuthentication != "":
		return v.config.ClientAuthentication
	case v.signer != nil:
		return privateKeyJWT
	case v.client.Secret.Empty():
		return noAuthentication
	case s.authentications != nil && !slices.Contains(s.authentications, secretBasic) && slices.Contains(s.authentications, secretPost):
		return secretPost
	}
	return secretBasic
}

// authenticate returns the request's parameters with what the client's
// authentication adds to them or to the header (RFC 6749, section 2.3; RFC
// 7523, section 2.2).
func (v *visit) authenticate(s *server, q clientRequest, header http.Header) (parameters, error) {
	all := slices.Clone(q.parameters)
	name := func() {
		if !q.named {
			all.add(v.config.clientIDParameter(), v.client.ID)
		}
	}
	switch v.authentication(s) {
	case secretBasic:
		pair := append(appendEncoded(nil, []byte(v.client.ID)), ':')
		pair = appendEncoded(slices.Grow(pair, 3*len(v.client.Secret.Reveal())), v.client.Secret.Reveal())
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString(pair))
		clear(pair)
	case secretPost:
		name()
		all = append(all, parameter{"client_secret", v.client.Secret.Reveal()})
	case privateKeyJWT:
		assertion, err := v.signer.assertion(v.client.ID, v.assertionAudience(s), v.now)
		if err != nil {
			return nil, fmt.Errorf("%s: sign the client's assertion: %w", q.endpoint, err)
		}
		name()
		all.add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		all.add("client_assertion", assertion)
	default:
		name()
	}
	return all, nil
}

// assertionAudience returns whom an assertion is made for.
func (v *visit) assertionAudience(s *server) string {
	if s.issuer == "" || v.config.ClientAssertionAudience == "token_endpoint" {
		return s.token
	}
	return s.issuer
}
