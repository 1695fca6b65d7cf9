package demo

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"latchkey"
	"latchkey/internal/web"
)

// maxNews is how much the shop remembers.
const maxNews = 100

// item is one thing that happened.
type item struct {
	Number int    `json:"number"`
	At     string `json:"at"` // time of day
	From   string `json:"from"`
	What   string `json:"what"`
	Detail string `json:"detail"`
}

// news is what happened lately, the oldest first.
type news struct {
	mu    sync.Mutex
	items []item
	last  int
}

func (n *news) add(at time.Time, from, what, detail string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last++
	n.items = append(n.items, item{n.last, at.Format(time.TimeOnly), from, what, detail})
	if len(n.items) > maxNews {
		n.items = n.items[1:]
	}
}

// after returns what came after the number, and the last number.
func (n *news) after(number int) ([]item, int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []item
	for _, one := range n.items {
		if one.Number > number {
			list = append(list, one)
		}
	}
	return list, n.last
}

// tellNews answers the script that asks what is new.
func (s *shop) tellNews(w http.ResponseWriter, r *http.Request) error {
	number, err := strconv.Atoi(r.URL.Query().Get("after"))
	if err != nil {
		return latchkey.InvalidField("after", "must be a number")
	}
	list, last := s.news.after(number)
	return web.WriteJSON(w, http.StatusOK, map[string]any{"items": append([]item{}, list...), "next": last})
}
