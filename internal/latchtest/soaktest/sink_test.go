package soaktest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
)

// sink is a backend that is told by webhooks, and has its bad days.
type sink struct {
	url string

	mu      sync.Mutex
	mood    mood
	seen    map[string]int               // event id → answers with 2xx
	order   map[string][]string          // connection → types, in the order of their first arrival
	told    map[string]map[string]string // connection → type → event id, answered with 2xx
	turned  int                          // deliveries that were not answered with 2xx
	strange []string                     // what could not be read
}

// mood is how the sink answers.
type mood int

const (
	welcoming mood = iota
	failing        // 500
	hanging        // not at all, until the other side has enough
)

func newSink(t testing.TB) *sink {
	k := &sink{seen: map[string]int{}, order: map[string][]string{}, told: map[string]map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(k.take))
	t.Cleanup(server.Close)
	k.url = server.URL
	return k
}

// set changes how it answers from now on.
func (k *sink) set(to mood) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mood = to
}

func (k *sink) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the other side was killed
	}
	var event struct {
		ID   string `json:"id"`
		Type string `json:"type"`
		Data struct {
			Connection struct {
				ID string `json:"id"`
			} `json:"connection"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &event); err != nil || event.ID == "" || event.Data.Connection.ID == "" {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.strange = append(k.strange, fmt.Sprintf("%.200s", body))
		return
	}
	switch k.note(event.ID, event.Type, event.Data.Connection.ID) {
	case welcoming:
		w.WriteHeader(http.StatusNoContent)
	case failing:
		w.WriteHeader(http.StatusInternalServerError)
	case hanging:
		select {
		case <-r.Context().Done():
		case <-time.After(patience):
		}
	}
}

// note keeps what came and returns how it is answered.
func (k *sink) note(id, kind, connection string) mood {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.mood != welcoming {
		k.turned++
		return k.mood
	}
	if k.seen[id]++; k.seen[id] == 1 {
		k.order[connection] = append(k.order[connection], kind)
	}
	if k.told[connection] == nil {
		k.told[connection] = map[string]string{}
	}
	k.told[connection][kind] = id
	return welcoming
}

// missing returns what the ledger has and the sink was not told.
func (k *sink) missing(l *ledger) (missing []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, entry := range l.connections {
		if k.told[id]["connection.created"] == "" {
			missing = append(missing, id+" was created")
		}
		if !entry.ended.IsZero() && k.told[id]["connection.disconnected"] == "" {
			missing = append(missing, id+" was disconnected")
		}
	}
	return missing
}

// disorder returns connections of whose end the sink was told first.
func (k *sink) disorder() (found []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for connection, kinds := range k.order {
		if kinds[0] != "connection.created" {
			found = append(found, fmt.Sprint(connection, " ", kinds))
		}
	}
	return found
}

// duplicates counts events that were answered with 2xx more than once, and the
// most often one was.
func (k *sink) duplicates() (events, most int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, times := range k.seen {
		if most = max(most, times); times > 1 {
			events++
		}
	}
	return events, most
}
