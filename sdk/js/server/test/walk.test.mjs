import assert from "node:assert/strict";
import { test } from "node:test";
import { errorOf, isFinal, verifyWebhook } from "../dist/index.js";
import { apps, client, clientOf, collect, eventually, link, reference, sink, url } from "./house.mjs";
import { testKey } from "./loopback.mjs";

test("a link from beginning to end", async () => {
  const clientReferenceId = reference();
  const id = await link(clientReferenceId);
  const connection = await client.connections.get(id);
  assert.deepEqual(
    [connection.status, connection.clientReferenceId, connection.metadata, connection.provider, connection.imported],
    ["active", clientReferenceId, { shop: "7" }, "sandbox", false]);
  assert.deepEqual((await client.connections.list({ clientReferenceId, imported: false })).list, [connection]);

  const self = await client.access.self(id);
  assert.deepEqual([self.id, self.username], [connection.userData.id, connection.userData.username]);
  const posts = await client.access.fetch(id, "posts", { query: { limit: "2" } });
  assert.equal((await posts.json()).list.length, 2);

  await client.connections.invalidate(id);
  await assert.rejects(client.access.self(id), { code: "SESSION_EXPIRED", actionRequired: "refresh_session" });
  await client.connections.disconnect(id);
  await assert.rejects(client.connections.get(id), { code: "RESOURCE_NOT_FOUND", status: 404 });
});

test("a post through the proxy arrives whole", async () => {
  const id = await link(reference());
  const sent = await client.access.fetch(id, "messages", {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ text: "Hello" }),
  });
  assert.deepEqual([sent.status, (await sent.json()).text], [201, "Hello"]);
  assert.equal((await errorOf(await client.access.fetch(id, "status/404"))).code, undefined);
  assert.equal((await errorOf(await client.access.fetch("conn_unknown", "me"))).code, "SESSION_NOT_PROVIDED");
});

test("a hosted session is followed and ended", async () => {
  const begun = await client.link.init({ clientAppId: apps.redirect, clientReferenceId: reference(), expiresIn: 600 });
  assert.deepEqual([begun.mode, begun.replayed, begun.url.startsWith(url)], ["hosted", false, true]);
  assert.equal((await client.link.session(begun.sessionId)).status, "initialized");
  const secret = begun.url.split("/").at(-1);
  await assert.rejects(client.link.submit(secret, { version: 1 }), { code: "FORBIDDEN" });
  await client.link.delete(secret);
  await client.link.delete(secret);
  const { status } = await client.link.status(secret);
  assert.ok(status === "not_found" && isFinal(status));
});

test("the server's refusals are errors", async () => {
  await assert.rejects(client.link.init({ redirectUrl: "https://evil.example/" }), { code: "BAD_REQUEST", field: "redirectUrl" });
  await assert.rejects(clientOf(testKey).account.whoami(), { code: "UNAUTHORIZED", status: 401 });
  const who = await client.account.whoami();
  assert.match(who.id, /^org_/);
  assert.equal(who.permissions.length, 4);
});

test("a stale submission shows where the session stands", async () => {
  const begun = await client.link.init({ clientAppId: apps.whitelabel, provider: "sandbox" });
  await assert.rejects(client.link.submit(begun.clientSecret, { version: 99, action: "cancel" }), (error) => {
    assert.deepEqual([error.code, error.current.data.step.name, error.current.data.step.version], ["CONFLICT", "authorization", 1]);
    return true;
  });
});

test("many connections are read page by page", async () => {
  const clientReferenceId = reference();
  const want = new Set();
  for (let i = 0; i < 26; i++) want.add(await link(clientReferenceId));
  for (const limit of [undefined, 7, 13]) {
    const got = await collect(client.connections.all({ clientReferenceId, limit }));
    assert.equal(got.length, 26);
    assert.deepEqual(new Set(got.map(({ id }) => id)), want);
  }
  const first = await client.connections.list({ clientReferenceId });
  assert.deepEqual([first.list.length, first.hasMore, first.nextOffset], [10, true, 10]);
});

test("the server's webhooks are verified", async (t) => {
  const { hooks, url } = await sink(t);
  const endpoint = await client.webhookEndpoints.create({ url, events: ["connection.created", "link.session.completed"] });
  t.after(() => client.webhookEndpoints.delete(endpoint.id));
  const clientReferenceId = reference();
  const id = await link(clientReferenceId);
  const only = (headers, prefix) => Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith(prefix)));
  const seen = await eventually(async () => {
    const mine = new Map();
    for (const { headers, body } of hooks) {
      for (const prefix of ["webhook-", "svix-", "ofauth-"]) {
        const event = await verifyWebhook(body, only(headers, prefix), endpoint.secret);
        if (event.data.clientReferenceId === clientReferenceId) mine.set(event.type, event);
      }
    }
    return mine.size === 2 && mine;
  });
  assert.equal(seen.get("connection.created").data.connection.id, id);
  assert.equal(seen.get("link.session.completed").data.session.connectionId, id);
  await assert.rejects(verifyWebhook(Buffer.concat([hooks[0].body, Buffer.from(" ")]), hooks[0].headers, endpoint.secret), { fault: "signature" });
  const { secret, ...shown } = endpoint;
  assert.deepEqual(await client.webhookEndpoints.get(endpoint.id), shown);
});
