package app

import (
	"time"

	"latchkey/internal/jobs"
	"latchkey/internal/proxy"
)

// streamsEvery is how often the connections of running calls are looked up.
const streamsEvery = time.Second

// streamChecks makes the loop that cuts the running calls of connections that
// have ended, wherever they were ended. While nothing runs it asks nothing.
func (a *App) streamChecks() *jobs.Ticker {
	a.streams = proxy.NewStreams(a.store.LiveConnections)
	return jobs.NewTicker(jobs.TickerConfig{
		Name: "calls of ended connections", Every: streamsEvery, Log: a.parts.Log, Now: a.parts.Now, Do: a.streams.CutEnded,
	})
}
