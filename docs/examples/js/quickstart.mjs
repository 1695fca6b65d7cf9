// Links an account and calls its provider, as a backend would.
//
//   npm install ./latchkey-server-0.1.0.tgz    (docs/clients.md tells how it is made)
//   LATCHKEY_URL=http://127.0.0.1:8080 LATCHKEY_KEY=sk_sandbox_… node quickstart.mjs
import { once } from "node:events";
import { createServer } from "node:http";
import { Latchkey, errorOf } from "@latchkey/server";

const latchkey = new Latchkey({ baseUrl: process.env.LATCHKEY_URL, apiKey: process.env.LATCHKEY_KEY });

// Where the person comes back to: on loopback any port may be used.
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://127.0.0.1");
  if (pathname !== "/callback") return response.writeHead(404).end();
  response.setHeader("connection", "close");
  response.end("You can close this page.\n", () => server.emit("back", searchParams));
});
await once(server.listen(0, "127.0.0.1"), "listening");

// Ask for a link, with a reference by which the user is recognised.
const user = "user_1";
const link = await latchkey.link.init({
  clientReferenceId: user,
  redirectUrl: `http://127.0.0.1:${server.address().port}/callback`,
});
console.log("Open", link.url);

// The query comes through a browser: look the connection up before it is believed.
const [query] = await once(server, "back");
server.close();
if (query.get("status") !== "success") {
  throw new Error(`not linked: ${query.get("status")} ${query.get("step") ?? query.get("error_code")}`);
}
const connection = await latchkey.connections.get(query.get("connection_id"));
if (connection.clientReferenceId !== user) throw new Error("somebody else's connection came back");
console.log("Linked", connection.userData.name, "as", connection.id);

for await (const { id, status } of latchkey.connections.all({ clientReferenceId: user })) {
  console.log("Connection", id, "is", status);
}

// Call the provider through the proxy.
const response = await latchkey.access.fetch(connection.id, "posts", { query: { limit: "1" } });
const failed = await errorOf(response);
if (failed) throw failed;
console.log("The provider says", await response.text());
