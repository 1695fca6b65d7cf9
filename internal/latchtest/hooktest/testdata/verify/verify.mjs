// Verifies messages, one a line, and prints one line for each: whether the
// library of Standard Webhooks and whether the one of Svix accept it.
import { createInterface } from "node:readline";
import { Webhook as Standard } from "standardwebhooks";
import { Webhook as Svix } from "svix";

function accepts(library, secret, body, headers) {
  try {
    new library(secret).verify(body, headers);
    return "yes";
  } catch {
    return "no";
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, id, timestamp, signature, body } = JSON.parse(line);
  const text = Buffer.from(body, "base64").toString("utf8");
  const named = (prefix) => ({ [`${prefix}-id`]: id, [`${prefix}-timestamp`]: timestamp, [`${prefix}-signature`]: signature });
  console.log(accepts(Standard, secret, text, named("webhook")), accepts(Svix, secret, text, named("svix")));
}
