package oauth2

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"latchkey"
	"latchkey/internal/connector"
)

// Client is the registration at the provider, which the operator has made.
type Client struct {
	ID     string
	Secret latchkey.Secret // of client_secret_basic and client_secret_post

	// PrivateKey is of private_key_jwt: PEM of PKCS #8, with an RSA key of at
	// least 2048 bits, an ECDSA key on P-256 or an Ed25519 key.
	PrivateKey latchkey.Secret
	KeyID      string // as the provider knows the key; "": none is told

	Variables map[string]string // of the file
}

// Options adapt a provider to where it is used.
type Options struct {
	Development bool // http to this machine is allowed
}

// Connector is a provider of OAuth 2.0 or OpenID Connect. It keeps the
// server's public metadata and keys for a while, nothing else, and is safe for
// concurrent use.
type Connector struct {
	config      Config // its variables filled in
	client      Client
	signer      *signer // of private_key_jwt; nil: there is no key
	development bool
	metadata    cached[*server]
	keys        cached[*keySet]
}

var (
	_ connector.Connector  = (*Connector)(nil)
	_ connector.Checker    = (*Connector)(nil)
	_ connector.Refresher  = (*Connector)(nil)
	_ connector.Revoker    = (*Connector)(nil)
	_ connector.Exporter   = (*Connector)(nil)
	_ connector.Authorizer = callable{}
)

// New returns the provider that a file describes, for one registered client.
// It is a connector.Authorizer if the file names an API. It does no I/O.
func New(config Config, client Client, options Options) (connector.Connector, error) {
	c, err := assemble(config, client, options)
	if err != nil {
		return nil, fmt.Errorf("provider %s: %w", config.ID, err)
	}
	if c.config.API.BaseURL == "" && c.config.API.BaseURLFrom.Token == "" {
		return c, nil
	}
	return callable{c}, nil
}

// assemble checks the parts and puts them together.
func assemble(config Config, client Client, options Options) (*Connector, error) {
	if wrong := config.problems(); len(wrong) > 0 {
		return nil, errors.New(wrong[0].String())
	}
	if client.ID == "" || len(client.ID) > 512 || !printable(client.ID) {
		return nil, errors.New("client id: want 1 to 512 printable ASCII characters")
	}
	filled, err := config.fill(client.ID, client.Variables)
	if err != nil {
		return nil, err
	}
	if err := filled.checkAddresses(options.Development); err != nil {
		return nil, err
	}
	c := &Connector{config: filled, client: client, development: options.Development}
	if !client.PrivateKey.Empty() {
		if c.signer, err = newSigner(client.PrivateKey, client.KeyID); err != nil {
			return nil, fmt.Errorf("private key: %w", err)
		}
	}
	switch how := filled.ClientAuthentication; {
	case (how == secretBasic || how == secretPost) && client.Secret.Empty():
		return nil, fmt.Errorf("client secret: missing: the provider wants %s", how)
	case how == privateKeyJWT && c.signer == nil:
		return nil, fmt.Errorf("private key: missing: the provider wants %s", how)
	}
	return c, nil
}

// Describe returns the provider's fixed facts.
func (c *Connector) Describe() connector.Description {
	d := connector.Description{
		ID: c.config.ID, Name: c.config.Name, Domain: c.config.Domain, OwnPage: true,
		Environments: slices.Clone(c.config.Environments), Logo: []byte(c.config.Logo),
		CheckEvery: c.config.CheckEvery, RequestsPerMinute: c.config.RequestsPerMinute,
	}
	if len(d.Environments) == 0 {
		d.Environments = []latchkey.Environment{latchkey.Live}
	}
	if len(d.Logo) == 0 {
		d.Logo = slices.Clone(plainLogo)
	}
	return d
}

// Advance sends the person to the provider, and takes them back from it.
func (c *Connector) Advance(ctx context.Context, flow connector.Flow, input connector.Input) (connector.Step, error) {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	v := &visit{Connector: c, http: flow.HTTP, now: flow.Now}
	if len(flow.State) == 0 || input.Action != latchkey.ActionCallback {
		return v.begin(ctx, flow)
	}
	step, err := v.callback(ctx, flow, input.Query)
	if wrong, ok := errors.AsType[*violation](err); ok {
		return nil, &connector.Failure{Code: latchkey.FailureProviderUnavailable, Reason: wrong.Error()}
	}
	return step, err
}

// violation is an answer that breaks the protocol: it ends the login, as
// nothing good comes of asking again.
type violation struct{ reason string }

// Error tells the reason.
func (v *violation) Error() string { return v.reason }

// violated returns a violation.
func violated(format string, arguments ...any) error {
	return &violation{fmt.Sprintf(format, arguments...)}
}
