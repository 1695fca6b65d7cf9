package latchkey

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Version is the version of this package, as the server's log tells of it.
const Version = "0.1.0"

const (
	defaultTimeout = 30 * time.Second
	defaultRetries = 2
)

// Config says which server is called, and how. BaseURL and APIKey are
// required.
type Config struct {
	BaseURL string // of the API, for example https://link.example.com
	APIKey  string // sk_sandbox_… or sk_live_…; it decides the environment

	// HTTPClient makes the requests, except that no redirect is followed. Nil:
	// one that gives up after 30 seconds, the reading of the answer included;
	// longer streams through the proxy need a client without that limit.
	HTTPClient *http.Client

	// MaxRetries is how often a call that is safe to send twice is sent again
	// after a lost connection or an answer 429, 502 or 503. 0: twice;
	// negative: never.
	MaxRetries int

	UserAgent string // empty: latchkey-go/ and the Version
}

// Format tells everything but the key, for every verb of fmt.
func (c Config) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, "latchkey.Config{"+c.BaseURL+"}")
}

// Client calls one server with one key. Make it with New.
type Client struct {
	Link             *LinkService             // link sessions
	Account          *AccountService          // the organisation of the key
	Connections      *ConnectionsService      // linked accounts
	ClientApps       *ClientAppsService       // what people see that asks them
	APIKeys          *APIKeysService          // keys like the client's own
	WebhookEndpoints *WebhookEndpointsService // who is told of events
	Events           *EventsService           // what has happened
	Audit            *AuditService            // who did what
	Access           *AccessService           // the providers, through the proxy

	base       *url.URL
	authorize  func(http.Header) // a function, so that no printing of the client shows the key
	http       *http.Client
	maxRetries int
	userAgent  string
	wait       waiting
}

// New returns a client. It calls nothing; an error means that the Config can't
// be used, and never holds the key.
func New(config Config) (*Client, error) {
	base, err := url.Parse(config.BaseURL)
	if err != nil || base.Scheme != "https" && base.Scheme != "http" || base.Host == "" ||
		base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("latchkey: BaseURL must be an http or https URL without user, query and fragment")
	}
	base.Path, base.RawPath = strings.TrimRight(base.Path, "/"), ""
	if !isVisible(config.APIKey) {
		return nil, errors.New("latchkey: APIKey is empty or has characters that no key has")
	}
	c := &Client{
		base: base, maxRetries: max(0, config.MaxRetries), userAgent: config.UserAgent, wait: waitFor,
		authorize: func(header http.Header) { header.Set("Apikey", config.APIKey) },
	}
	if config.MaxRetries == 0 {
		c.maxRetries = defaultRetries
	}
	if c.userAgent == "" {
		c.userAgent = "latchkey-go/" + Version
	}
	c.http = &http.Client{Timeout: defaultTimeout}
	if config.HTTPClient != nil {
		given := *config.HTTPClient
		c.http = &given
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Link, c.Account, c.Connections = &LinkService{c}, &AccountService{c}, &ConnectionsService{c}
	c.ClientApps, c.APIKeys, c.WebhookEndpoints = &ClientAppsService{c}, &APIKeysService{c}, &WebhookEndpointsService{c}
	c.Events, c.Audit, c.Access = &EventsService{c}, &AuditService{c}, &AccessService{c}
	return c, nil
}

// Format tells which server the client calls, and nothing of the key, for
// every verb of fmt.
func (c Client) Format(state fmt.State, _ rune) {
	base := ""
	if c.base != nil {
		base = c.base.String()
	}
	_, _ = io.WriteString(state, "latchkey.Client{"+base+"}")
}

// isVisible reports whether the text is visible ASCII, and some.
func isVisible(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return text != ""
}
