// An API on loopback whose answers the test decides, one by one; the last one
// is repeated.
import { createServer } from "node:http";
import { Latchkey } from "../dist/index.js";

/** Has the look of a key and opens nothing. */
export const testKey = "sk_sandbox_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg";

/** Starts a server that ends with the test. Without answers it answers everything with {}. */
export async function serve(t, ...answers) {
  if (answers.length === 0) answers.push(says(200, "{}"));
  const requests = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    request.text = Buffer.concat(chunks).toString();
    requests.push(request);
    answers[Math.min(requests.length, answers.length) - 1](request, response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, requests, client: (options) => new Latchkey({ baseUrl: url, apiKey: testKey, ...options }) };
}

/** Answers with a status, a body and headers. Retry-After is 0 unless they say otherwise, so that no test waits. */
export function says(status, body, headers = {}) {
  return (_, response) => response.writeHead(status, { "retry-after": "0", ...headers }).end(body);
}

/** Drops the connection without an answer. */
export const breaks = (request) => request.socket.destroy();

/** An error's body. */
export const refusal = (type, more) => JSON.stringify({ error: "no", message: "no", type, code: type, requestId: "req_1", ...more });
