package egress

import "time"

// Purpose is what a client is for. Purposes share no connections.
type Purpose string

// The purposes of going out.
const (
	Webhook  Purpose = "webhook"  // tell an organisation's endpoint
	Provider Purpose = "provider" // log in, refresh and revoke at a provider
	Proxy    Purpose = "proxy"    // pass a call through to a provider
	Logo     Purpose = "logo"     // fetch the picture of a client app
)

// byExit are the purposes that go out in a country. A webhook and a logo belong
// to an app, which is nowhere in particular.
var byExit = []Purpose{Provider, Proxy}

// maxHeader is the largest header of an answer, in bytes, all 1xx answers
// before it included.
const maxHeader = 64 << 10

// limits are what a purpose may take.
type limits struct {
	total       time.Duration // the whole request; 0: the context's matter
	body        int64         // bytes of an answer's body; 0: the caller's matter
	idlePerHost int           // connections that wait for the next request
	idle        int           // the same of all hosts; 0: 512
	asItCame    bool          // bytes pass unchanged: nothing is decompressed, no header is added
}

// limitsOf returns every purpose with its limits.
func limitsOf(timeouts Timeouts) map[Purpose]limits {
	return map[Purpose]limits{
		Webhook:  {total: timeouts.Webhook, body: 1 << 20, idlePerHost: 128},
		Provider: {total: timeouts.Provider, body: 8 << 20, idlePerHost: 16},
		Proxy:    {idlePerHost: 64, asItCame: true},
		Logo:     {total: 2 * time.Second, body: 256 << 10, idlePerHost: 1},
	}
}
