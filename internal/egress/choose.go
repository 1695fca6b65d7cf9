package egress

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"math"
	"net"
	"slices"
	"sync"

	"latchkey"
)

// Way is where a login, or what belongs to a connection, wants to go out.
type Way struct {
	Key   string                // what keeps to one exit: the id of a session, or of a connection
	Place *latchkey.Geolocation // nil: nobody knows, and it goes out directly
	Exit  string                // name of the exit that it has used; "" at first
}

// exit is an Exit at work.
type exit struct {
	Exit
	health     *health
	tunnels    *tunnels
	transports map[Purpose]*gate
}

// exits are all of them. An exit of another country than the asked one is
// never chosen, and nothing that has an exit goes out directly when it is down.
type exits struct {
	list    []*exit
	country map[string][]*exit
	direct  bool // what is for a country without any exit goes out directly
	moved   moves
}

// idlePerExit bounds the connections through one exit that wait for the next
// request, for each purpose.
const idlePerExit = 64

// openExits makes the exits of a complete Config.
func (e *Egress) openExits(config Config) *exits {
	list, err := CompleteExits(config.Exits)
	if err != nil {
		panic("egress: " + err.Error())
	}
	all := &exits{country: map[string][]*exit{}, direct: config.DirectWithoutExit}
	resolving := &resolving{e.guard, config.Resolver, config.Timeouts.Dial, config.Logger}
	for _, settings := range list {
		x := &exit{Exit: settings, transports: map[Purpose]*gate{}}
		x.health = &health{
			now: config.Now, log: config.Logger.With("exit", settings), every: config.Timeouts.Checks, since: config.Now(),
		}
		x.tunnels = &tunnels{
			exit: settings, health: x.health, resolving: resolving, timeout: config.Timeouts.Exit,
			direct: &net.Dialer{Timeout: config.Timeouts.Dial, Resolver: config.Resolver},
			tls:    &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: config.RootCAs, Time: config.Now, NextProtos: []string{"http/1.1"}},
		}
		for _, purpose := range byExit {
			limits := limitsOf(config.Timeouts)[purpose]
			limits.idle = idlePerExit
			x.transports[purpose] = e.gate(config, limits, x.tunnels.dial)
		}
		all.list = append(all.list, x)
		all.country[x.Country] = append(all.country[x.Country], x)
	}
	return all
}

// serves reports whether what is for a country can ever go out.
func (e *exits) serves(country string) bool {
	return len(e.list) == 0 || e.direct || len(e.country[country]) > 0
}

// isDirect reports whether what takes the way never needs an exit.
func (e *exits) isDirect(way Way) bool { return len(e.list) == 0 || way.Place == nil }

// choose returns the exit of a way, nil for the direct way. It is the same one
// as long as that is up and not among the tried; then another of the country,
// of the same region if there is one. Without any it is ErrNoExit.
func (e *exits) choose(way Way, tried ...*exit) (*exit, error) {
	if e.isDirect(way) {
		return nil, nil
	}
	there := e.country[way.Place.Country]
	if len(there) == 0 && e.direct {
		return nil, nil
	}
	usable := slices.DeleteFunc(slices.Clone(there), func(x *exit) bool { return slices.Contains(tried, x) || !x.health.isUp() })
	if len(usable) == 0 {
		return nil, noExit()
	}
	wanted := way.Exit
	if moved := e.moved.to(way.Key); moved != "" {
		wanted = moved
	}
	if i := slices.IndexFunc(usable, func(x *exit) bool { return x.Name == wanted }); i >= 0 {
		return usable[i], nil
	}
	chosen := first(inRegion(usable, way.Place.State), way.Key)
	if len(usable) < len(there) || wanted != "" {
		e.moved.keep(way.Key, chosen.Name) // else it would be chosen again anyhow
	}
	return chosen, nil
}

// inRegion returns those of the region, or all when there are none.
func inRegion(list []*exit, region string) []*exit {
	there := slices.DeleteFunc(slices.Clone(list), func(x *exit) bool { return region == "" || x.Region != region })
	if len(there) == 0 {
		return list
	}
	return there
}

// first returns the exit that comes first for the key: weighted rendezvous
// hashing, so that every replica chooses the same without asking, and an exit
// more or less moves nobody but its own.
func first(list []*exit, key string) *exit {
	return slices.MaxFunc(list, func(a, b *exit) int {
		switch x, y := a.score(key), b.score(key); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
}

func (x *exit) score(key string) float64 {
	sum := sha256.Sum256([]byte(x.Name + "\x00" + key))
	u := (float64(binary.BigEndian.Uint64(sum[:8])>>11) + 0.5) / (1 << 53) // evenly between 0 and 1
	return float64(x.Weight) / -math.Log(u)
}

// maxMoves bounds how many are remembered: twice as many.
const maxMoves = 8192

// moves remembers who was moved to another exit, so that they stay there when
// the first one comes back. The oldest are forgotten.
type moves struct {
	mu             sync.Mutex
	recent, before map[string]string
}

func (m *moves) to(key string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if name, ok := m.recent[key]; ok {
		return name
	}
	name, ok := m.before[key]
	if ok {
		m.put(key, name)
	}
	return name
}

func (m *moves) keep(key, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(key, name)
}

func (m *moves) put(key, name string) {
	if len(m.recent) >= maxMoves {
		m.recent, m.before = nil, m.recent
	}
	if m.recent == nil {
		m.recent = make(map[string]string)
	}
	m.recent[key] = name
}
