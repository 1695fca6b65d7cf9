package webhook

import (
	"sync"
	"time"
)

const (
	// promptly is how soon an endpoint answers that costs nobody else anything.
	promptly = time.Second
	// widest is how many attempts may be under way to one endpoint.
	widest = 16
	// mostRemembered bounds how many idle endpoints are remembered as prompt.
	mostRemembered = 10_000
)

// slots shares the attempts that may be under way at once among the endpoints,
// so that one that hangs, or many, hold nobody else back:
//
//   - An endpoint begins with one attempt at a time. Each answer widens its
//     window by one, up to 16; an attempt without an answer halves it.
//   - No endpoint has more than its share: half of all slots, divided by the
//     endpoints that have work.
//   - Endpoints whose last attempt took a second or more, and those not yet
//     known, have together at most half of all slots.
//
// What is known is forgotten with the process. Zero is not usable.
type slots struct {
	total     int
	mu        sync.Mutex
	endpoints map[string]*standing
	unproven  int // under way to endpoints that are not prompt
}

// standing is what is known of one endpoint.
type standing struct {
	underWay int
	window   int
	prompt   bool
}

func newSlots(total int) *slots { return &slots{total: total, endpoints: map[string]*standing{}} }

// of returns an endpoint's standing; the caller holds the lock.
func (s *slots) of(endpoint string) standing {
	if known := s.endpoints[endpoint]; known != nil {
		return *known
	}
	return standing{window: 1}
}

// offer divides free slots among endpoints that have work, in their order, one
// each and then again, with at most the room of each. It returns how much each
// gets.
func (s *slots) offer(free int, endpoints []string, room []int) (given []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	share := s.share(endpoints)
	unproven := max(1, s.total/2) - s.unproven
	given = make([]int, len(endpoints))
	for more := true; more; {
		more = false
		for i, endpoint := range endpoints {
			known := s.of(endpoint)
			if free == 0 || given[i] == room[i] || known.underWay+given[i] >= min(known.window, share) ||
				!known.prompt && unproven <= 0 {
				continue
			}
			given[i]++
			free--
			if !known.prompt {
				unproven--
			}
			more = true
		}
	}
	return given
}

// share is how many attempts one endpoint may have under way.
func (s *slots) share(endpoints []string) int {
	contenders := len(endpoints)
	listed := make(map[string]bool, len(endpoints))
	for _, endpoint := range endpoints {
		listed[endpoint] = true
	}
	for endpoint, known := range s.endpoints {
		if known.underWay > 0 && !listed[endpoint] {
			contenders++
		}
	}
	return min(widest, max(1, s.total/2/max(contenders, 1)))
}

// begin counts an attempt.
func (s *slots) begin(endpoint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.endpoints[endpoint]
	if known == nil {
		known = &standing{window: 1}
		s.endpoints[endpoint] = known
	}
	known.underWay++
	if !known.prompt {
		s.unproven++
	}
}

// end counts the end of an attempt that was begun, which took so long, and
// learns from it.
func (s *slots) end(endpoint string, took time.Duration, answered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.endpoints[endpoint]
	if known == nil {
		return
	}
	if !known.prompt {
		s.unproven -= known.underWay
	}
	known.underWay--
	known.prompt = took < promptly
	if answered {
		known.window = min(known.window+1, widest)
	} else {
		known.window = max(known.window/2, 1)
	}
	if !known.prompt {
		s.unproven += known.underWay
	}
	if known.underWay == 0 && known.window == 1 && !known.prompt {
		delete(s.endpoints, endpoint)
	}
	s.forget()
}

// forget drops the idle endpoints when too many are remembered.
func (s *slots) forget() {
	if len(s.endpoints) <= mostRemembered {
		return
	}
	for endpoint, known := range s.endpoints {
		if known.underWay == 0 {
			delete(s.endpoints, endpoint)
		}
	}
}
