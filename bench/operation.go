package main

import (
	"fmt"
	"strings"
)

// operation is something that wrk drives.
type operation struct {
	name  string // in the table and on the command line
	title string
	// latchkey and bare are the scripts for either side.
	latchkey func(t *target) string
	bare     func(t *target) string
	// wanted is the least ratio to the bare server, by engine; 0: none is owed.
	wanted map[string]float64
}

func same(ratio float64) map[string]float64 {
	return map[string]float64{"sqlite": ratio, "postgres": ratio}
}

// operations are those that wrk drives, in the order of the table.
func operations() []operation {
	return []operation{
		{name: "init", title: "init, durable", latchkey: initScript, bare: initScript,
			wanted: map[string]float64{"sqlite": 0.55, "postgres": 0.45}},
		{name: "init-once", title: "init with an idempotency key", latchkey: initOnceScript, bare: initOnceScript},
		{name: "status", title: "status by secret", wanted: same(0.75),
			latchkey: func(t *target) string { return getScript(t, "/v2/link/"+t.secret) },
			bare:     func(t *target) string { return getScript(t, "/status") }},
		{name: "page", title: "hosted page", wanted: same(0.60),
			latchkey: func(t *target) string { return getScript(t, "/"+t.secret) },
			bare:     func(t *target) string { return getScript(t, "/page") }},
		{name: "events", title: "a page of 50 events",
			latchkey: func(t *target) string { return getScript(t, eventsPath) },
			bare:     func(t *target) string { return getScript(t, "/events") }},
		{name: "proxy-1k", title: "access proxy, 1 KiB", wanted: same(0.75),
			latchkey: func(t *target) string { return proxyScript(t, "/small") },
			bare:     func(t *target) string { return proxyScript(t, "/small") }},
		{name: "proxy-1m", title: "access proxy, 1 MiB", wanted: same(0.95),
			latchkey: func(t *target) string { return proxyScript(t, "/large") },
			bare:     func(t *target) string { return proxyScript(t, "/large") }},
	}
}

func initBody() string {
	return `{"redirectUrl":"` + redirectURL + `","clientReferenceId":"user-4711"}`
}

func initHeader(t *target) map[string]string {
	return map[string]string{"apikey": t.backend.key, "Content-Type": "application/json"}
}

func initScript(t *target) string {
	return luaRequest("POST", "/v2/link/init", initHeader(t), initBody())
}

// initOnceScript gives each request a key of its own.
func initOnceScript(t *target) string {
	return initScript(t) + `
local run, count = tostring(os.time()) .. tostring({}), 0
request = function()
  count = count + 1
  wrk.headers["Idempotency-Key"] = run:gsub("[^%w]", "") .. "-" .. count
  return wrk.format()
end
`
}

func getScript(t *target, path string) string {
	return luaRequest("GET", path, map[string]string{"apikey": t.backend.key}, "")
}

// proxyScript takes the connections in turn.
func proxyScript(t *target, path string) string {
	return fmt.Sprintf(`
local ids = {"%s"}
local ready, next = {}, 0
init = function()
  for i, id in ipairs(ids) do
    ready[i] = wrk.format("GET", "/v2/access/proxy%s", {["apikey"] = "%s", ["x-connection-id"] = id, ["Host"] = "bench"})
  end
end
request = function()
  next = next %% #ready + 1
  return ready[next]
end
`, strings.Join(t.connections, `","`), path, t.backend.key)
}
