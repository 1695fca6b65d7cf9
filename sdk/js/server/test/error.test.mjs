import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Latchkey, LatchkeyError, LatchkeyTransportError, errorOf } from "../dist/index.js";
import { breaks, refusal, says, serve, testKey } from "./loopback.mjs";

test("an error tells all the server said", async (t) => {
  const current = { status: "initialized", data: { step: { name: "login", version: 3 } } };
  const server = await serve(t, says(409, refusal("CONFLICT", { message: "moved on", actionRequired: "refresh_session", details: { field: "version" }, current }), { "retry-after": "4" }));
  await assert.rejects(server.client().link.submit("cs_secret", { version: 2 }), (error) => {
    assert.ok(error instanceof LatchkeyError && error instanceof Error);
    const { name, message, status, type, code, field, requestId, actionRequired, retryAfter } = error;
    assert.deepEqual({ name, message, status, type, code, field, requestId, actionRequired, retryAfter, current: error.current }, {
      name: "LatchkeyError", message: "moved on", status: 409, type: "CONFLICT", code: "CONFLICT", field: "version",
      requestId: "req_1", actionRequired: "refresh_session", retryAfter: 4, current,
    });
    return true;
  });
});

test("answers of others are errors too", async (t) => {
  for (const body of ["<html>secret</html>", "", '{"error":"secret"}', '["secret"]', "null", '{"type":7}']) {
    const server = await serve(t, says(500, body, { "x-request-id": "req_7" }));
    await assert.rejects(server.client().account.whoami(), (error) =>
      error instanceof LatchkeyError && error.status === 500 && error.code === undefined && error.requestId === "req_7" && !error.message.includes("secret"));
  }
  for (const body of ["<html>", "", "[]", '{"id":', "null", "7"]) {
    const server = await serve(t, says(200, body));
    await assert.rejects(server.client().account.whoami(), LatchkeyTransportError, body);
    assert.equal(server.requests.length, 1);
  }
});

test("an endless answer is cut off", async (t) => {
  for (const status of [200, 400]) {
    const server = await serve(t, (_, response) => {
      response.on("error", () => {});
      response.writeHead(status);
      for (let i = 0; i < 9; i++) response.write(" ".repeat(1 << 20));
      response.end("{}");
    });
    await assert.rejects(server.client().account.whoami(), /8 MiB/);
    assert.equal(server.requests.length, 1);
  }
});

test("no error shows a secret", async (t) => {
  const secret = "cs_0123456789secret";
  const server = await serve(t, breaks);
  const client = server.client({ maxRetries: 0 });
  const talkative = new Latchkey({
    baseUrl: server.url, apiKey: testKey, maxRetries: 0,
    fetch: async (url) => { throw new TypeError(`error sending request for url (${url})`); },
  });
  for (const call of [
    () => client.link.status(secret), () => talkative.link.status(secret), () => client.link.status(`${secret}/`),
    () => client.access.fetch("conn_1", `${secret}/..`), () => client.access.self(`${secret}\n`),
  ]) {
    await assert.rejects(async () => call(), (error) => {
      assert.ok(!inspect(error, { depth: 9 }).includes(secret) && !inspect(error, { depth: 9 }).includes(testKey), error.message);
      return true;
    });
  }
  await assert.rejects(client.link.status(secret), { message: "GET /v2/link/{clientSecret}: no answer (UND_ERR_SOCKET)" });
});

test("a proxied refusal of Latchkey's own is told from the provider's", async () => {
  assert.equal(await errorOf(new Response("fine")), undefined);
  assert.equal((await errorOf(new Response(refusal("SESSION_EXPIRED"), { status: 401 }))).code, "SESSION_EXPIRED");
  assert.equal((await errorOf(new Response('{"error":{"status":404}}', { status: 404 }))).code, undefined);
});
