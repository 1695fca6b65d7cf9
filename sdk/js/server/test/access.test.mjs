import assert from "node:assert/strict";
import { test } from "node:test";
import { says, serve, testKey } from "./loopback.mjs";

test("a proxied call goes as it is", async (t) => {
  const server = await serve(t, says(418, "short and stout", { "x-upstream": "yes" }));
  const response = await server.client().access.fetch("conn_1", "/posts/a%2Fb", {
    method: "patch", query: new URLSearchParams([["q", "x y"], ["q", "z"]]), body: "body",
    headers: { "content-type": "text/plain", "x-connection-id": "conn_2", apikey: "other" },
  });
  assert.deepEqual([response.status, await response.text(), response.headers.get("x-upstream")], [418, "short and stout", "yes"]);
  const [request] = server.requests;
  assert.deepEqual([request.method, request.url, request.text], ["PATCH", "/v2/access/proxy/posts/a%2Fb?q=x+y&q=z", "body"]);
  assert.deepEqual([request.headers["content-type"], request.headers["x-connection-id"], request.headers.apikey], ["text/plain", "conn_1", testKey]);
});

test("bodies stream both ways", async (t) => {
  const server = await serve(t, (request, response) => response.end(request.text.toUpperCase()));
  const body = new ReadableStream({
    start(controller) {
      for (const part of ["one ", "two"]) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });
  const response = await server.client().access.fetch("conn_1", "echo", { method: "POST", body });
  assert.equal(await response.text(), "ONE TWO");
});

test("an answer may take longer than a call, once it has begun", async (t) => {
  const server = await serve(t, (_, response) => {
    response.writeHead(200).write("one ");
    setTimeout(() => response.end("two"), 150);
  });
  const response = await server.client({ timeout: 100 }).access.fetch("conn_1", "slow");
  assert.equal(await response.text(), "one two");
});

test("a signal ends a streaming answer", async (t) => {
  const server = await serve(t, (_, response) => response.writeHead(200).write("one"));
  const controller = new AbortController();
  const response = await server.client().access.fetch("conn_1", "endless", { signal: controller.signal });
  const text = response.text();
  controller.abort(new Error("enough"));
  await assert.rejects(text, /enough/);
});

test("no path leaves the proxy", async (t) => {
  const server = await serve(t);
  const { access, connections } = server.client();
  for (const path of [
    "..", "../self", "/../../account/whoami", "a/../../../account", "%2e%2e/self", ".%2E/self", "a/%2e%2e%2f%2e%2e/self",
    "..%2fself", "a/./b", "..%5cself", "..\\self", "a?b=c", "a#b", "a b", "a\nb", "a\t..", "a%", "a%zz", "ä",
  ]) {
    await assert.rejects(access.fetch("conn_1", path), TypeError, path);
  }
  for (const id of ["", ".", "..", "a/b", "a%2fb", "conn_1?x", "conn_1#", "conn 1", "conn_1\n", "conn_ä", undefined]) {
    await assert.rejects(async () => connections.get(id), TypeError, id);
    await assert.rejects(async () => access.self(id), TypeError, id);
    await assert.rejects(async () => access.fetch(id, "me"), TypeError, id);
  }
  assert.equal(server.requests.length, 0);
  for (const path of ["", "me", "/me", "a//b", "...", "a..b", "a%20b", "a%252e", "@me", "a;b=c,d", "~x/:y", "%ff"]) {
    await access.fetch("conn_1", path);
    assert.equal(server.requests.at(-1).url, `/v2/access/proxy/${path.replace(/^\//, "")}`);
  }
});
