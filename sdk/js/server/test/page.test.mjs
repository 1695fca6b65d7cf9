import assert from "node:assert/strict";
import { test } from "node:test";
import { refusal, says, serve } from "./loopback.mjs";

/** Serves a list of so many connections. */
const pages = (total) => (request, response) => {
  const query = new URL(request.url, "http://x").searchParams;
  const limit = Number(query.get("limit") ?? 10);
  const offset = Number(query.get("offset") ?? 0);
  const list = Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, i) => ({ id: `conn_${offset + i}` }));
  const hasMore = offset + limit < total;
  response.end(JSON.stringify({ list, hasMore, ...(hasMore && { nextOffset: offset + limit }) }));
};

test("all reads every page once", async (t) => {
  for (const total of [0, 1, 7, 8, 25, 26, 100, 250]) {
    for (const limit of [undefined, 1, 7, 100]) {
      const server = await serve(t, pages(total));
      const ids = new Set();
      for await (const { id } of server.client().connections.all({ limit, provider: "sandbox" })) ids.add(id);
      assert.equal(ids.size, total);
      assert.equal(server.requests.length, Math.max(1, Math.ceil(total / (limit ?? 100))));
      assert.ok(server.requests.every((request) => request.url.includes("provider=sandbox")));
    }
  }
});

test("all stops when told to", async (t) => {
  const server = await serve(t, pages(1000));
  for await (const { id } of server.client().connections.all({ limit: 10, offset: 15 })) {
    if (id === "conn_27") break;
  }
  assert.deepEqual(server.requests.map((request) => request.url.split("?")[1]), ["limit=10&offset=15", "limit=10&offset=25"]);
});

test("all ends with the first error", async (t) => {
  const server = await serve(t, pages(20), says(403, refusal("FORBIDDEN")));
  let count = 0;
  await assert.rejects(async () => {
    for await (const _ of server.client().connections.all({ limit: 10 })) count++;
  }, { code: "FORBIDDEN" });
  assert.equal(count, 10);
});

test("a server without end does not hold us for ever", async (t) => {
  const client = (await serve(t, says(200, '{"list":[],"hasMore":true,"cursor":"7"}'))).client();
  for await (const _ of client.clientApps.all()) assert.fail("an object of an empty list");
  let count = 0;
  for await (const _ of client.events.pages("7")) count++;
  assert.equal(count, 1);
});

test("events are read from the cursor", async (t) => {
  const server = await serve(t,
    says(200, '{"list":[{"id":"evt_1"},{"id":"evt_2"}],"hasMore":true,"cursor":"2"}'),
    says(200, '{"list":[{"id":"evt_3"}],"hasMore":true,"cursor":"3"}'),
    says(200, '{"list":[],"hasMore":false,"cursor":"3"}'));
  const ids = [];
  for await (const { id } of server.client().events.all()) ids.push(id);
  assert.deepEqual(ids, ["evt_1", "evt_2", "evt_3"]);
  assert.deepEqual(server.requests.map((request) => request.url.split("?")[1]), ["limit=100", "limit=100&after=2", "limit=100&after=3"]);
});

test("filters go into the query", async (t) => {
  const server = await serve(t);
  const client = server.client();
  const from = new Date("2026-11-24T11:00:00.005Z");
  await client.link.sessions({ status: "failed", clientReferenceId: "a&b", from, to: "2026-12-01T00:00:00Z", limit: 5 });
  await client.connections.list({ imported: false, provider: undefined });
  await client.audit.list();
  assert.deepEqual(server.requests.map((request) => request.url), [
    "/v2/link/sessions?status=failed&clientReferenceId=a%26b&from=2026-11-24T11%3A00%3A00.005Z&to=2026-12-01T00%3A00%3A00Z&limit=5",
    "/v2/account/connections?imported=false", "/v2/audit",
  ]);
});

test("a change says what it leaves", async (t) => {
  const server = await serve(t);
  const client = server.client();
  await client.clientApps.update("app_1", { logoUrl: null, redirectUris: [], suspended: false, name: undefined });
  await client.apiKeys.update("key_1", { expiresAt: new Date(0) });
  await client.account.updateSettings({ defaults: { locale: null } });
  assert.deepEqual(server.requests.map((request) => request.text), [
    '{"logoUrl":null,"redirectUris":[],"suspended":false}', '{"expiresAt":"1970-01-01T00:00:00.000Z"}', '{"defaults":{"locale":null}}',
  ]);
});
