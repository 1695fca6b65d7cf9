import assert from "node:assert/strict";
import { test } from "node:test";
import { LatchkeyError } from "../dist/index.js";
import { delayOf, retryAfter } from "../dist/retry.js";
import { breaks, refusal, says, serve } from "./loopback.mjs";

// Every answer after which a call that is safe is made again. A lost
// connection says nothing of how long to wait: that one waits up to 0.5 s.
const trouble = { 429: says(429, refusal("RATE_LIMIT_EXCEEDED")), 502: says(502, "<html>"), 503: says(503, ""), "a lost connection": breaks };

const one = "conn_1";
const proxied = async (client, init) => {
  const response = await client.access.fetch(one, "me", init);
  if (!response.ok) throw new Error(String(response.status));
};
const safe = {
  "a reading": (c) => c.account.whoami(),
  "a deletion": (c) => c.connections.disconnect(one),
  "an end": (c) => c.connections.invalidate(one),
  "a change": (c) => c.account.updateSettings({}),
  "an init": (c) => c.link.init(),
  "a proxied reading": (c) => proxied(c),
};
const unsafe = {
  "a submission": (c) => c.link.submit("cs_1", { version: 1 }),
  "a confirmation": (c) => c.link.confirm({ code: "x", clientReferenceId: "y" }),
  "an import": (c) => c.connections.import({}),
  "a second import": (c) => c.connections.reimport(one, {}),
  "a new key": (c) => c.apiKeys.create({ name: "x", scopes: [] }),
  "a rotation": (c) => c.webhookEndpoints.rotateSecret("we_1"),
  "a proxied body": (c) => proxied(c, { method: "PUT", body: "x" }),
  "a proxied POST": (c) => proxied(c, { method: "POST" }),
  "a proxied DELETE": (c) => proxied(c, { method: "delete" }),
};

for (const [kind, answer] of Object.entries(trouble)) {
  for (const [name, call] of Object.entries(safe)) {
    test(`${name} is tried again after ${kind}`, async (t) => {
      const server = await serve(t, answer, answer, says(200, "{}"));
      await call(server.client());
      assert.equal(server.requests.length, 3);
    });
  }
  for (const [name, call] of Object.entries(unsafe)) {
    test(`${name} is tried once, whatever ${kind} may mean`, async (t) => {
      const server = await serve(t, answer, says(200, "{}"));
      await assert.rejects(call(server.client()));
      assert.equal(server.requests.length, 1);
    });
  }
}

test("other answers are final", async (t) => {
  for (const status of [400, 401, 403, 404, 409, 413, 415, 500, 501, 504]) {
    const server = await serve(t, says(status, "{}"));
    await assert.rejects(server.client().account.whoami(), (error) => error instanceof LatchkeyError && error.status === status);
    assert.equal(server.requests.length, 1);
  }
});

test("tries end, and can be turned off", async (t) => {
  for (const [maxRetries, want] of [[undefined, 3], [0, 1], [-1, 1], [5, 6]]) {
    const server = await serve(t, trouble[503]);
    await assert.rejects(server.client(maxRetries === undefined ? {} : { maxRetries }).account.whoami());
    assert.equal(server.requests.length, want);
  }
});

test("the server's Retry-After is waited for", async (t) => {
  const server = await serve(t, says(429, "{}", { "retry-after": "1" }), says(200, "{}"));
  const began = performance.now();
  await server.client().account.whoami();
  const took = performance.now() - began;
  assert.ok(took >= 990 && took < 10_000, `${took} ms`);
});

test("Retry-After is a number of seconds or a date, and at most a minute", () => {
  const inSeconds = (text) => retryAfter(new Headers({ "retry-after": text }));
  assert.equal(inSeconds("7"), 7);
  assert.equal(inSeconds("0"), 0);
  const soon = inSeconds(new Date(Date.now() + 20_000).toUTCString());
  assert.ok(soon > 15 && soon <= 20, `${soon} s`);
  assert.equal(inSeconds("Wed, 21 Oct 2015 07:28:00 GMT"), 0);
  for (const text of ["", "soon", "-5", "1e3", "0x10", "99999999999999999999", "2015-10-21"]) assert.equal(inSeconds(text), undefined, text);
  assert.equal(retryAfter(new Headers()), undefined);
  assert.equal(delayOf(new Headers({ "retry-after": "3600" }), 0), 60_000);
  assert.equal(delayOf(new Headers({ "retry-after": "Wed, 21 Oct 2095 07:28:00 GMT" }), 0), 60_000);
});

test("waits grow and are never the same", () => {
  const seen = new Set();
  for (let attempt = 0; attempt < 40; attempt++) {
    const delay = delayOf(undefined, attempt);
    assert.ok(delay >= 0 && delay < Math.min(500 * 2 ** attempt, 8000), `${delay} ms at ${attempt}`);
    seen.add(delay);
  }
  assert.ok(seen.size > 38);
});

test("a deletion whose answer was lost has happened", async (t) => {
  const gone = says(404, refusal("RESOURCE_NOT_FOUND"));
  for (const [first, good] of [[breaks, true], [trouble[502], true], [trouble[429], false], [gone, false]]) {
    const server = await serve(t, first, gone);
    const call = server.client().clientApps.delete("app_1");
    if (good) await call;
    else await assert.rejects(call, { code: "RESOURCE_NOT_FOUND" });
  }
});

test("an init is the same at every try", async (t) => {
  const server = await serve(t, breaks, trouble[503], says(200, '{"mode":"hosted"}', { "idempotent-replayed": "true" }), says(200, "{}"));
  const client = server.client();
  assert.equal((await client.link.init({ clientReferenceId: "user_1" })).replayed, true);
  assert.equal((await client.link.init()).replayed, false);
  await client.link.init({}, { idempotencyKey: "mine" });
  const keys = server.requests.map((request) => request.headers["idempotency-key"]);
  assert.ok(keys[0]);
  assert.deepEqual([keys[1], keys[2], keys[4]], [keys[0], keys[0], "mine"]);
  assert.notEqual(keys[3], keys[0]);
  assert.deepEqual(server.requests.map((request) => request.text), [...Array(3).fill('{"clientReferenceId":"user_1"}'), "{}", "{}"]);
});

test("an answer that breaks half way is lost", async (t) => {
  const half = (_, response) => {
    response.writeHead(200, { "content-length": "100" }).write('{"id":', () => response.destroy());
  };
  const server = await serve(t, half, says(200, '{"id":"org_1"}'));
  assert.equal((await server.client().account.whoami()).id, "org_1");
});
