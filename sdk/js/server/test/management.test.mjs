import assert from "node:assert/strict";
import { test } from "node:test";
import { verifyWebhook } from "../dist/index.js";
import { client, clientOf, collect, eventually, link, password, person, reference, sink } from "./house.mjs";

test("the same init is the same session", async () => {
  const request = { clientReferenceId: reference() };
  const idempotencyKey = crypto.randomUUID();
  const first = await client.link.init(request, { idempotencyKey });
  const again = await client.link.init(request, { idempotencyKey });
  assert.deepEqual(again, { ...first, replayed: true });
  assert.equal(first.replayed, false);
  assert.notEqual((await client.link.init(request)).sessionId, first.sessionId);
  await assert.rejects(client.link.init({ clientReferenceId: reference() }, { idempotencyKey }), { code: "CONFLICT" });
});

test("sessions are listed", async () => {
  const clientReferenceId = reference();
  for (let i = 0; i < 26; i++) await client.link.init({ clientReferenceId });
  const sessions = await collect(client.link.allSessions({ status: "initialized", clientReferenceId, limit: 7 }));
  assert.equal(sessions.length, 26);
  assert.ok(sessions.every((session) => session.mode === "hosted" && session.connectionId === null));
  assert.deepEqual((await client.link.sessions({ to: new Date(Date.now() - 3_600_000) })).list, []);
});

test("settings are changed", async () => {
  const before = await client.account.settings();
  const changed = await client.account.updateSettings({ defaults: { expiresIn: 900, locale: "de" } });
  assert.deepEqual(changed, { ...before, defaults: { expiresIn: 900, locale: "de" } });
  const back = await client.account.updateSettings({ defaults: before.defaults });
  assert.deepEqual(back, before);
});

test("a connection's settings are changed", async () => {
  const id = await link(reference());
  const vaultPlus = { enabled: false };
  assert.deepEqual(await client.connections.settings(id), { rateLimit: { perMinute: 60, burst: 90 }, metadata: { shop: "7" }, vaultPlus });
  const changed = await client.connections.updateSettings(id, { rateLimit: { burst: 5 }, metadata: {} });
  assert.deepEqual(changed, { rateLimit: { perMinute: 60, burst: 5 }, metadata: {}, vaultPlus });
});

test("an account is imported", async () => {
  const clientReferenceId = reference();
  const credentials = { username: person(), password };
  const connection = await client.connections.import({ provider: "sandbox", credentials, clientReferenceId });
  assert.deepEqual([connection.imported, connection.provider, connection.clientReferenceId], [true, "sandbox", clientReferenceId]);
  assert.equal((await client.connections.reimport(connection.id, { credentials })).id, connection.id);
  await assert.rejects(client.connections.reimport(connection.id, { credentials: { username: person(), password } }), { code: "CONFLICT" });
});

test("the life of a client app", async () => {
  const made = await client.clientApps.create({
    name: "Shop", domain: "shop.example", type: "redirect", redirectUris: ["https://shop.example/back"],
    logoUrl: "https://shop.example/logo.svg", permissions: [{ name: "profile:read", purpose: "to greet you" }],
  });
  assert.deepEqual([made.environment, made.accentColor], ["sandbox", null]);
  const changed = await client.clientApps.update(made.id, { name: "Store", logoUrl: null, accentColor: "#aa0000", permissions: [] });
  assert.deepEqual(changed, { ...made, name: "Store", logoUrl: null, accentColor: "#aa0000", permissions: [], updatedAt: changed.updatedAt });
  assert.deepEqual(await client.clientApps.get(made.id), changed);
  await client.clientApps.delete(made.id);
  await assert.rejects(client.clientApps.get(made.id), { code: "RESOURCE_NOT_FOUND" });
  assert.ok((await collect(client.clientApps.all())).every(({ id }) => id !== made.id));
});

test("the life of a key", async () => {
  const expiresAt = new Date(Date.now() + 3_600_000);
  const { key, ...made } = await client.apiKeys.create({ name: "reader", scopes: ["ACCOUNT"], expiresAt });
  assert.ok(key.startsWith(made.prefix) && made.prefix !== "");
  assert.equal(made.expiresAt, expiresAt.toISOString());
  const reader = clientOf(key);
  await reader.account.whoami();
  await assert.rejects(reader.link.init(), { code: "FORBIDDEN" });
  const changed = await client.apiKeys.update(made.id, { name: "writer", expiresAt: null });
  assert.deepEqual([changed.name, changed.expiresAt, changed.scopes, "key" in changed], ["writer", null, ["ACCOUNT"], false]);
  await client.apiKeys.delete(made.id);
  await eventually(() => reader.account.whoami().then(() => false, (error) => error.code === "UNAUTHORIZED"));
  assert.ok((await collect(client.apiKeys.all())).every((one) => one.id !== made.id && !("key" in one)));
});

test("the life of a webhook endpoint", async (t) => {
  const { hooks, url } = await sink(t);
  const made = await client.webhookEndpoints.create({ url: `${url}old` });
  assert.deepEqual([made.events, made.status], [["*"], "enabled"]);
  await client.webhookEndpoints.update(made.id, { status: "disabled" });
  const changed = await client.webhookEndpoints.update(made.id, { url, events: ["connection.disconnected"], description: "shop", status: "enabled" });
  assert.deepEqual([changed.url, changed.description, "secret" in changed], [url, "shop", false]);
  const rotated = await client.webhookEndpoints.rotateSecret(made.id);
  assert.notEqual(rotated.secret, made.secret);

  const id = await link(reference());
  await client.connections.disconnect(id);
  const mine = async () => {
    const found = [];
    for (const hook of hooks) if (JSON.parse(hook.body).data.connection.id === id) found.push(hook);
    return found;
  };
  const hook = await eventually(async () => (await mine())[0]);
  for (const secrets of [made.secret, rotated.secret, [rotated.secret, made.secret]]) {
    assert.equal((await verifyWebhook(hook.body, hook.headers, secrets)).type, "connection.disconnected");
  }
  const delivery = await eventually(async () =>
    (await collect(client.webhookEndpoints.allDeliveries(made.id, { state: "delivered" }))).find(({ subject }) => subject === id));
  assert.deepEqual([delivery.type, delivery.attempts, delivery.lastStatus], ["connection.disconnected", 1, 204]);
  assert.deepEqual(await client.webhookEndpoints.replay(made.id, { eventIds: [delivery.eventId] }), { queued: 1 });
  await eventually(async () => (await mine()).length === 2);
  await client.webhookEndpoints.delete(made.id);
});

test("events and audit tell what happened", async () => {
  const clientReferenceId = reference();
  let cursor = "0";
  for await (const page of client.events.pages()) cursor = page.cursor;
  const connections = [];
  for (let i = 0; i < 26; i++) connections.push(await link(clientReferenceId));
  const mine = (await collect(client.events.all(cursor))).filter(({ data }) => data.clientReferenceId === clientReferenceId);
  assert.deepEqual(mine.filter(({ type }) => type === "connection.created").map(({ data }) => data.connection.id), connections);
  assert.equal(mine.length, 2 * connections.length);

  const consents = await collect(client.audit.all({ action: "consent.given", limit: 7 }));
  assert.ok(consents.length >= connections.length);
  assert.ok(consents.every(({ chain, subject }) => /^[0-9a-f]{64}$/.test(chain.hash) && subject !== ""));
});

test("a link is confirmed", async () => {
  const clientReferenceId = reference();
  const app = await client.clientApps.create({
    name: "Shop", domain: "shop.example", type: "redirect", redirectUris: ["http://127.0.0.1/back"], providers: ["sandbox"], requireConfirmation: true,
  });
  const begun = await client.link.init({ clientAppId: app.id, clientReferenceId });
  const press = async (fields) => {
    const version = /name="version" value="(\d+)"/.exec(await (await fetch(begun.url)).text())[1];
    return fetch(begun.url, { method: "POST", body: new URLSearchParams({ version, ...fields }), redirect: "manual" });
  };
  await press({ action: "continue" });
  await press({ action: "approve" });
  const landed = await press({ action: "continue", username: person(), password });
  const code = new URL(landed.headers.get("location")).searchParams.get("code");
  const waiting = await client.link.session(begun.sessionId);
  assert.deepEqual([waiting.status, waiting.data.step.name], ["pending", "confirm"]);
  const session = await client.link.confirm({ code, clientReferenceId });
  assert.equal(session.status, "completed");
  await assert.rejects(client.link.confirm({ code, clientReferenceId }), { code: "BAD_REQUEST", field: "code" });
});
