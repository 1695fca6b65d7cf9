import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { WebhookError, verifyWebhook } from "../dist/index.js";

const secretOf = (text) => `whsec_${Buffer.from(text).toString("base64")}`;
const oldSecret = secretOf("the old key of 32 bytes, 01234567");
const newSecret = secretOf("the new key of 32 bytes, 01234567");
const otherSecret = secretOf("another's key, also of 32 bytes..");

const event = {
  id: "evt_1", type: "connection.created", eventType: "connection.created", timestamp: "2026-11-24T10:00:00.000Z", live: true,
  data: { clientReferenceId: "user_1", connection: { id: "conn_1", userData: { name: "Ada ünï", avatar: null } } },
};
const body = JSON.stringify(event, null, 1);

/** Signs as Standard Webhooks 1.0.0 says, under both names, and adds OFAuth-Signature. */
function sign(text, { id = "evt_1", ago = 0, secrets = [newSecret] } = {}) {
  const at = Math.floor(Date.now() / 1000) - ago;
  const hmac = (key, content) => createHmac("sha256", key).update(content);
  const signature = secrets.map((secret) => `v1,${hmac(Buffer.from(secret.slice(6), "base64"), `${id}.${at}.${text}`).digest("base64")}`).join(" ");
  const headers = { "OFAuth-Signature": [`t=${at}`, ...secrets.map((secret) => `v1=${hmac(secret, `${at}.${text}`).digest("hex")}`)].join(",") };
  for (const prefix of ["webhook-", "svix-"]) {
    Object.assign(headers, { [`${prefix}id`]: id, [`${prefix}timestamp`]: String(at), [`${prefix}signature`]: signature });
  }
  return headers;
}

const only = (headers, prefix) => Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith(prefix)));
const without = (headers, name) => Object.fromEntries(Object.entries(headers).filter(([other]) => other !== name));

const signed = sign(body);
const rotating = sign(body, { secrets: [newSecret, oldSecret] });

for (const [name, headers, secrets] of [
  ["by all its headers", signed, newSecret],
  ["by webhook- headers", only(signed, "webhook-"), newSecret],
  ["by svix- headers", only(signed, "svix-"), newSecret],
  ["by OFAuth-Signature", only(signed, "OFAuth-"), newSecret],
  ["by Headers", new Headers(signed), newSecret],
  ["by headers in lists", Object.fromEntries(Object.entries(signed).map(([key, value]) => [key.toUpperCase(), [value]])), newSecret],
  ["by a receiver of two secrets", signed, [oldSecret, newSecret]],
  ["signed twice, for the old secret", rotating, [oldSecret]],
  ["signed twice, for the new secret", rotating, [newSecret]],
  ["signed twice, by OFAuth, old", only(rotating, "OFAuth-"), oldSecret],
  ["beside signatures of other kinds", { ...only(signed, "webhook-"), "webhook-signature": `v1a,xyz v2,abc v1,! ${signed["webhook-signature"]}` }, newSecret],
  ["four minutes old", sign(body, { ago: 240 }), newSecret],
  ["four minutes early", sign(body, { ago: -240 }), newSecret],
]) {
  test(`a good webhook is taken ${name}`, async () => {
    for (const given of [body, Buffer.from(body), new TextEncoder().encode(body), new TextEncoder().encode(body).buffer]) {
      assert.deepEqual(await verifyWebhook(given, headers, secrets), event);
    }
  });
}

const standard = only(signed, "webhook-");
const ofauth = only(signed, "OFAuth-");
const later = String(Number(signed["webhook-timestamp"]) + 1);

for (const [name, text, headers, secret, fault] of [
  ["an altered body", `${body} `, signed, newSecret, "signature"],
  ["an altered body, by svix", "{}", only(signed, "svix-"), newSecret, "signature"],
  ["an altered body, by OFAuth", "{}", ofauth, newSecret, "signature"],
  ["an altered id", body, { ...signed, "webhook-id": "evt_2" }, newSecret, "signature"],
  ["an altered timestamp", body, { ...signed, "webhook-timestamp": later }, newSecret, "signature"],
  ["an altered timestamp, by OFAuth", body, { "OFAuth-Signature": ofauth["OFAuth-Signature"].replace(/t=\d+/, `t=${later}`) }, newSecret, "signature"],
  ["another's secret", body, signed, otherSecret, "signature"],
  ["another's secret, by OFAuth", body, ofauth, otherSecret, "signature"],
  ["a secret that was rotated away", body, signed, oldSecret, "signature"],
  ["a signature cut short", body, { ...standard, "webhook-signature": standard["webhook-signature"].slice(0, 20) }, newSecret, "unsigned"],
  ["a bad one beside a good one", body, { ...signed, "webhook-signature": "v1,AAAA" }, newSecret, "signature"],
  ["an old one", body, sign(body, { ago: 360 }), newSecret, "expired"],
  ["an early one", body, sign(body, { ago: -360 }), newSecret, "expired"],
  ["no headers", body, {}, newSecret, "unsigned"],
  ["no id", body, without(standard, "webhook-id"), newSecret, "unsigned"],
  ["no timestamp", body, without(standard, "webhook-timestamp"), newSecret, "unsigned"],
  ["no signature", body, without(standard, "webhook-signature"), newSecret, "unsigned"],
  ["a timestamp that is none", body, { ...standard, "webhook-timestamp": "now" }, newSecret, "unsigned"],
  ["a negative timestamp", body, { ...standard, "webhook-timestamp": "-1" }, newSecret, "unsigned"],
  ["an id with a part of the rest", body, { ...standard, "webhook-id": `evt_1.${later}` }, newSecret, "unsigned"],
  ["an OFAuth header without a time", body, { "OFAuth-Signature": "v1=00" }, newSecret, "unsigned"],
  ["an OFAuth header of a time", body, { "OFAuth-Signature": `t=${later}` }, newSecret, "unsigned"],
  ["what is signed but no event", "[]", sign("[]"), newSecret, "body"],
  ["what is signed but no JSON", "text", sign("text"), newSecret, "body"],
]) {
  test(`a bad webhook is refused: ${name}`, async () => {
    await assert.rejects(verifyWebhook(text, headers, secret), (error) => {
      assert.ok(error instanceof WebhookError);
      assert.equal(error.fault, fault);
      assert.ok(!error.message.includes(secret));
      return true;
    });
  });
}

test("the tolerance is the receiver's", async () => {
  const headers = sign(body, { ago: 1800 });
  await verifyWebhook(body, headers, newSecret, { tolerance: 3600 });
  await assert.rejects(verifyWebhook(body, headers, newSecret, { tolerance: 60 }), { fault: "expired" });
});

test("a secret that is none is told, and so is a body that was parsed", async () => {
  for (const secrets of [[], "", "whsec_", newSecret.slice(6), "whsec_!", "whsec_AAAA", [newSecret, "x"], undefined]) {
    await assert.rejects(verifyWebhook(body, signed, secrets), TypeError);
  }
  await assert.rejects(verifyWebhook(event, signed, newSecret), TypeError);
});
