// The running server that the tests are given, with a sandbox key of every
// scope and its client apps. `go test ./internal/latchtest/sdktest` gives one.
import { createServer } from "node:http";
import { Latchkey } from "../dist/index.js";

const { LATCHKEY_URL: url, LATCHKEY_KEY: key, LATCHKEY_APPS: appsText } = process.env;
if (!url || !key || !appsText) {
  throw new Error("LATCHKEY_URL, LATCHKEY_KEY and LATCHKEY_APPS (JSON: id by type) say which server to test against");
}

export { url };
export const apps = JSON.parse(appsText);
export const client = new Latchkey({ baseUrl: url, apiKey: key });
export const clientOf = (apiKey) => new Latchkey({ baseUrl: url, apiKey });

/** A reference that no other test has. */
export const reference = () => `user_${crypto.randomUUID()}`;

/** A user of the sandbox that no other test has. */
export const person = () => `${crypto.randomUUID()}@creator.sandbox.com`;
export const password = "good-password";

/** Links an account the whitelabel way, step by step, and returns the connection's id. */
export async function link(clientReferenceId, username = person()) {
  const begun = await client.link.init({ clientAppId: apps.whitelabel, provider: "sandbox", clientReferenceId, metadata: { shop: "7" } });
  const { data } = await client.link.status(begun.clientSecret);
  const agreed = await client.link.submit(begun.clientSecret, {
    version: data.step.version, action: "approve", fields: { textVersion: data.step.textVersion },
  });
  const ended = await client.link.submit(begun.clientSecret, { version: agreed.data.step.version, fields: { username, password } });
  if (ended.status !== "completed") throw new Error(`the session is ${ended.status}`);
  return ended.data.id;
}

/** Collects what a sequence yields. */
export async function collect(sequence) {
  const all = [];
  for await (const one of sequence) all.push(one);
  return all;
}

/** Waits until check gives something, looking often, and fails after ten seconds. */
export async function eventually(check) {
  for (const end = Date.now() + 10_000; Date.now() < end; ) {
    const found = await check();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error("it never happened");
}

/** A backend that is told by webhooks; it ends with the test. */
export async function sink(t) {
  const hooks = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    hooks.push({ headers: request.headers, body: Buffer.concat(chunks) });
    response.writeHead(204).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { hooks, url: `http://127.0.0.1:${server.address().port}/` };
}
