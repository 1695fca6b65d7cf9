import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "./loopback.mjs";
import { iterators, operations } from "./operations.mjs";

test("every method calls its operation", async (t) => {
  const server = await serve(t);
  const client = server.client();
  const methods = Object.keys(client).flatMap((service) =>
    Object.getOwnPropertyNames(Object.getPrototypeOf(client[service])).filter((name) => name !== "constructor").map((name) => `${service}.${name}`));
  assert.deepEqual(methods.filter((name) => !iterators.test(name)).sort(), Object.keys(operations).sort());
  for (const [name, operation] of Object.entries(operations)) {
    const [service, method] = name.split(".");
    const takesId = operation.includes("{") || operation.includes("/access/");
    await client[service][method](...(takesId ? ["id_1"] : []), ...(name === "access.fetch" ? ["id_1"] : [{}]));
    const request = server.requests.at(-1);
    assert.equal(`${request.method} ${request.url}`, operation.replace(/\{\w+\}/, "id_1"), name);
    assert.equal(request.headers["x-connection-id"], operation.includes("/access/") ? "id_1" : undefined, name);
    assert.equal(request.headers["content-type"], request.text === "" ? undefined : "application/json", name);
  }
});
