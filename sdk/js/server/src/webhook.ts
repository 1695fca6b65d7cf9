import { webCrypto } from "./crypto.js";
import type { LatchkeyEvent } from "./event.js";

/** Why a message is no webhook of the server's. A receiver answers all of them alike. */
export type WebhookFault = "unsigned" | "signature" | "expired" | "body";

const sentences: Record<WebhookFault, string> = {
  unsigned: "the webhook is not signed, or its headers are malformed",
  signature: "the webhook's signature is not of this secret",
  expired: "the webhook's timestamp is too far off",
  body: "the webhook is signed but no event",
};

/** A message that must not be believed. */
export class WebhookError extends Error {
  readonly fault: WebhookFault;

  constructor(fault: WebhookFault) {
    super(sentences[fault]);
    this.name = "WebhookError";
    this.fault = fault;
  }
}

/** The headers of a request, as runtimes have them. */
export type WebhookHeaders = Headers | Record<string, string | string[] | undefined>;

/** Options of verifyWebhook. */
export interface VerifyOptions {
  /** Seconds that the timestamp may be off, both ways; 300 by default. */
  tolerance?: number;
}

/** What the headers say of a message. */
interface Signed {
  /** Absent: OFAuth-Signature, which signs none. */
  id?: string;
  timestamp: string;
  signatures: Uint8Array<ArrayBuffer>[];
}

/**
 * Checks that the body, byte for byte as it came, was signed lately with one of
 * the endpoint's secrets, and reads it. During a rotation there are two secrets.
 *
 * Of the signatures that the headers carry it takes the first of Standard
 * Webhooks 1.0.0 (webhook-id, webhook-timestamp, webhook-signature), the same
 * as svix-…, and OFAuth-Signature; when that one fails no other is tried. A
 * webhook may come more than once: remember the event's id.
 */
export async function verifyWebhook(
  body: string | ArrayBuffer | Uint8Array, headers: WebhookHeaders, secrets: string | string[], options: VerifyOptions = {},
): Promise<LatchkeyEvent> {
  const keys = (typeof secrets === "string" ? [secrets] : secrets).map((secret) => ({ secret, key: signingKey(secret) }));
  if (keys.length === 0) throw new TypeError("there is no webhook secret");
  const bytes = bytesOf(body);
  const message = readSigned(headers);
  const content = concatenate(encode(message.id === undefined ? `${message.timestamp}.` : `${message.id}.${message.timestamp}.`), bytes);
  let good = false;
  for (const { secret, key } of keys) {
    if (await isSigned(message.id === undefined ? encode(secret) : key, message.signatures, content)) good = true;
  }
  if (!good) throw new WebhookError("signature");
  const tolerance = options.tolerance && options.tolerance > 0 ? options.tolerance : 300;
  if (Math.abs(Date.now() / 1000 - Number(message.timestamp)) > tolerance) throw new WebhookError("expired");
  return parseEvent(bytes);
}

/** Reads the first signature that the headers carry. */
function readSigned(headers: WebhookHeaders): Signed {
  for (const prefix of ["webhook-", "svix-"]) {
    const list = header(headers, `${prefix}signature`);
    if (!list) continue;
    const id = header(headers, `${prefix}id`);
    if (!id || id.includes(".")) throw new WebhookError("unsigned"); // a full stop separates the parts of what is signed
    const signatures = list.split(/\s+/).filter((one) => one.startsWith("v1,")).map((one) => fromBase64(one.slice(3)));
    return check({ id, timestamp: header(headers, `${prefix}timestamp`), signatures: signatures.filter((one) => one !== undefined) });
  }
  const message: Signed = { timestamp: "", signatures: [] };
  for (const part of header(headers, "ofauth-signature").split(",")) {
    const [name, value = ""] = part.trim().split("=");
    if (name === "t") message.timestamp = value;
    if (name === "v1" && /^([0-9a-fA-F]{2})+$/.test(value)) {
      message.signatures.push(Uint8Array.from(value.match(/../g) ?? [], (digits) => parseInt(digits, 16)));
    }
  }
  return check(message);
}

/** Refuses headers with which nothing can be verified. */
function check(message: Signed): Signed {
  if (!/^\d{1,12}$/.test(message.timestamp) || message.signatures.length === 0) throw new WebhookError("unsigned");
  return message;
}

/** Reports whether one of the signatures is the key's, in a time that tells nothing of how close the others are. */
async function isSigned(key: Uint8Array<ArrayBuffer>, signatures: Uint8Array<ArrayBuffer>[], content: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const { subtle } = await webCrypto();
  const imported = await subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  const verdicts = await Promise.all(signatures.map((signature) => subtle.verify("HMAC", imported, signature, content)));
  return verdicts.includes(true);
}

/** Returns the bytes behind whsec_ (Standard Webhooks 1.0.0, "Signature scheme"). */
function signingKey(secret: string): Uint8Array<ArrayBuffer> {
  const key = typeof secret === "string" && secret.startsWith("whsec_") ? fromBase64(secret.slice("whsec_".length)) : undefined;
  if (!key || key.length < 24 || key.length > 64) {
    throw new TypeError("a webhook secret is whsec_ and base64 of 24 to 64 bytes");
  }
  return key;
}

function parseEvent(bytes: Uint8Array<ArrayBuffer>): LatchkeyEvent {
  try {
    const event: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (event && typeof event === "object" && "id" in event && typeof event.id === "string") return event as LatchkeyEvent;
  } catch {
    // told below
  }
  throw new WebhookError("body");
}

/** Returns a header's first value, whatever its case. */
function header(headers: WebhookHeaders, name: string): string {
  if (typeof headers.get === "function") return (headers as Headers).get(name) ?? "";
  for (const [key, value] of Object.entries(headers as Record<string, string | string[] | undefined>)) {
    if (key.toLowerCase() === name) return (Array.isArray(value) ? value[0] : value) ?? "";
  }
  return "";
}

function bytesOf(body: string | ArrayBuffer | Uint8Array): Uint8Array<ArrayBuffer> {
  if (typeof body === "string") return encode(body);
  if (body instanceof ArrayBuffer || body instanceof Uint8Array) return new Uint8Array(body);
  throw new TypeError("the body must be text or bytes as they came, before they are parsed");
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return undefined;
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
