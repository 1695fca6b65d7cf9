import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Latchkey, LatchkeyError, LatchkeyTransportError, version } from "../dist/index.js";
import { breaks, says, serve, testKey } from "./loopback.mjs";

test("options that can't work are refused, without a word of the key", () => {
  const baseUrl = "https://link.example.com";
  for (const options of [
    { apiKey: testKey }, { baseUrl: "/v2", apiKey: testKey }, { baseUrl: "ftp://link.example.com", apiKey: testKey },
    { baseUrl: `https://me:${testKey}@link.example.com`, apiKey: testKey }, { baseUrl: `${baseUrl}?${testKey}`, apiKey: testKey },
    { baseUrl: `${baseUrl}#${testKey}`, apiKey: testKey }, { baseUrl: `https://:${testKey}`, apiKey: testKey }, { baseUrl },
    { baseUrl, apiKey: "" }, { baseUrl, apiKey: `${testKey}\n` }, { baseUrl, apiKey: `${testKey}é` }, { baseUrl, apiKey: 7 },
  ]) {
    assert.throws(() => new Latchkey(options), (error) => error instanceof TypeError && !inspect(error).includes(testKey));
  }
});

test("nothing prints the key", async (t) => {
  const server = await serve(t, breaks);
  const client = server.client({ maxRetries: 0 });
  const lost = await client.account.whoami().catch((error) => error);
  assert.ok(lost instanceof LatchkeyTransportError);
  for (const value of [client, client.link, lost]) {
    for (const text of [String(value), inspect(value, { depth: 9, showHidden: true }), JSON.stringify(value)]) {
      assert.ok(!text.includes(testKey));
    }
  }
});

test("every request says who asks", async (t) => {
  const server = await serve(t);
  await server.client().account.whoami();
  await new Latchkey({ baseUrl: `${server.url}/`, apiKey: testKey, userAgent: "shop/2" }).account.whoami();
  assert.deepEqual(server.requests.map((r) => [r.url, r.headers.apikey, r.headers["user-agent"]]), [
    ["/v2/account/whoami", testKey, `latchkey-js/${version}`], ["/v2/account/whoami", testKey, "shop/2"],
  ]);
});

test("a fetch of the caller's makes the requests", async () => {
  const seen = [];
  const client = new Latchkey({
    baseUrl: "https://link.example.com/base", apiKey: testKey,
    fetch: async (input, init) => (seen.push([input, init.redirect]), new Response('{"id":"org_1"}')),
  });
  assert.equal((await client.account.whoami()).id, "org_1");
  assert.deepEqual(seen, [["https://link.example.com/base/v2/account/whoami", "manual"]]);
});

test("no redirect is followed", async (t) => {
  const elsewhere = await serve(t);
  const server = await serve(t, says(307, "", { location: `${elsewhere.url}/v2/account/whoami` }));
  const client = server.client();
  await assert.rejects(client.account.whoami(), (error) => error instanceof LatchkeyError && error.status === 307);
  assert.equal((await client.access.fetch("conn_1", "me")).status, 307);
  assert.equal(elsewhere.requests.length, 0);
});

test("a server that says nothing is given up", async (t) => {
  const server = await serve(t, () => {});
  await assert.rejects(server.client({ timeout: 50, maxRetries: 0 }).account.whoami(), /timeout/);
  const half = await serve(t, (_, response) => response.writeHead(200).write('{"id":'));
  await assert.rejects(half.client({ timeout: 50, maxRetries: 0 }).account.whoami(), /timeout/);
});

test("a signal ends a call, and the waiting between two", async (t) => {
  const stop = new Error("enough");
  const silent = await serve(t, () => {});
  const first = new AbortController();
  const call = silent.client().account.whoami({ signal: first.signal });
  setImmediate(() => first.abort(stop));
  await assert.rejects(call, stop);

  const second = new AbortController();
  const busy = await serve(t, (_, response) => {
    response.writeHead(429, { "retry-after": "50" }).end("{}", () => setTimeout(() => second.abort(stop), 20));
  });
  await assert.rejects(busy.client().account.whoami({ signal: second.signal }), stop);
  await assert.rejects(busy.client().account.whoami({ signal: AbortSignal.abort(stop) }), stop);
  assert.equal(busy.requests.length, 1);
});
