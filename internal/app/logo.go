package app

import (
	"bytes"
	"context"
	"image"
	_ "image/gif" // formats a logo may have
	_ "image/jpeg"
	_ "image/png"
	"io"
	"net/http"
	"sync"
	"time"

	"latchkey/internal/hosted"
)

const (
	maxLogos    = 1000      // pictures kept; past them a new one displaces any other
	maxLogo     = 256 << 10 // bytes of one
	maxLogoSide = 4096      // pixels
	logoLife    = time.Hour
	logoRetry   = 5 * time.Minute // until one that could not be had is asked for again
)

// logos fetches the pictures of client apps, and keeps them.
type logos struct {
	client *http.Client
	now    func() time.Time

	mu   sync.Mutex
	kept map[string]*keptLogo
}

// keptLogo is a picture, or that there is none. It is complete when fetched is
// closed.
type keptLogo struct {
	fetched chan struct{}
	logo    hosted.Logo
	until   time.Time
}

func newLogos(client *http.Client, now func() time.Time) *logos {
	return &logos{client: client, now: now, kept: map[string]*keptLogo{}}
}

// find returns the picture at a URL. Many who ask at once fetch it once; who
// can't wait goes without it, and finds it the next time.
func (l *logos) find(ctx context.Context, url string) (hosted.Logo, bool) {
	l.mu.Lock()
	kept, ok := l.kept[url]
	if ok && !kept.until.IsZero() && l.now().After(kept.until) {
		ok = false
	}
	if !ok {
		kept = &keptLogo{fetched: make(chan struct{})}
		for other := range l.kept {
			if len(l.kept) < maxLogos {
				break
			}
			delete(l.kept, other)
		}
		l.kept[url] = kept
		go l.fetch(context.WithoutCancel(ctx), url, kept) // the client ends it
	}
	l.mu.Unlock()
	select {
	case <-kept.fetched:
		return kept.logo, kept.logo.Type != ""
	case <-ctx.Done():
		return hosted.Logo{}, false
	}
}

func (l *logos) fetch(ctx context.Context, url string, kept *keptLogo) {
	logo, ok := l.get(ctx, url)
	l.mu.Lock()
	defer l.mu.Unlock()
	kept.logo, kept.until = logo, l.now().Add(logoLife)
	if !ok {
		kept.until = l.now().Add(logoRetry)
	}
	close(kept.fetched)
}

func (l *logos) get(ctx context.Context, url string) (hosted.Logo, bool) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return hosted.Logo{}, false
	}
	request.Header.Set("Accept", "image/svg+xml, image/png, image/webp, image/jpeg, image/gif")
	answer, err := l.client.Do(request)
	if err != nil {
		return hosted.Logo{}, false
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxLogo+1))
	if err != nil || answer.StatusCode != http.StatusOK || len(data) > maxLogo {
		return hosted.Logo{}, false
	}
	mediaType := pictureType(data)
	return hosted.Logo{Type: mediaType, Data: data}, mediaType != ""
}

// pictureType looks at the bytes, whatever their sender calls them. It returns
// "" for what is no picture a page may show.
func pictureType(data []byte) string {
	if head := bytes.TrimLeft(data[:min(len(data), 1024)], "\xef\xbb\xbf \t\r\n"); bytes.HasPrefix(head, []byte("<svg")) ||
		bytes.HasPrefix(head, []byte("<?xml")) && bytes.Contains(head, []byte("<svg")) {
		return "image/svg+xml"
	}
	if len(data) > 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP" {
		return "image/webp"
	}
	facts, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || facts.Width > maxLogoSide || facts.Height > maxLogoSide {
		return ""
	}
	return "image/" + format
}
