import { parse, readText } from "./answer.js";
import { queryOf, target, type Call } from "./call.js";
import { webCrypto } from "./crypto.js";
import { LatchkeyError, LatchkeyTransportError } from "./error.js";
import { delayOf, mayPass, pause } from "./retry.js";

/** How a client is made. */
export interface LatchkeyOptions {
  /** Of the API, for example https://link.example.com. */
  baseUrl: string;
  /** sk_sandbox_… or sk_live_…; it decides the environment. */
  apiKey: string;
  /** Makes the requests; the runtime's own fetch by default. */
  fetch?: typeof fetch;
  /**
   * How often a call that is safe to send twice is sent again after a lost
   * connection or an answer 429, 502 or 503. Twice by default; 0 is never.
   */
  maxRetries?: number;
  /** Milliseconds until a request is given up; 30,000 by default, 0 is never. Of a proxied call, until its answer begins. */
  timeout?: number;
  /** latchkey-js/ and the version by default. */
  userAgent?: string;
}

/** The version of this package, as the server's log tells of it. */
export const version = "0.1.0";

/** Sends calls to one server with one key. The key is in no property that can be printed. */
export class Transport {
  readonly #base: string;
  readonly #apiKey: string;
  readonly #fetch: typeof fetch;
  readonly #maxRetries: number;
  readonly #timeout: number;
  readonly #userAgent: string;

  constructor(options: LatchkeyOptions) {
    const base = parseUrl(options.baseUrl);
    if (!base || !/^https?:$/.test(base.protocol) || base.username || base.password || base.search || base.hash) {
      throw new TypeError("baseUrl must be an http or https URL without user, query and fragment");
    }
    if (typeof options.apiKey !== "string" || !/^[\x21-\x7e]+$/.test(options.apiKey)) {
      throw new TypeError("apiKey is empty or has characters that no key has");
    }
    this.#base = base.href.replace(/\/+$/, "");
    this.#apiKey = options.apiKey;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#maxRetries = Math.max(0, options.maxRetries ?? 2);
    this.#timeout = options.timeout ?? 30_000;
    this.#userAgent = options.userAgent ?? `latchkey-js/${version}`;
  }

  /** Makes a call and returns its answer. */
  async call<T>(call: Call): Promise<T> {
    return (await this.exchange<T>(call)).answer;
  }

  /** Makes a call and returns its answer and the headers that came with it. */
  async exchange<T>(call: Call): Promise<{ answer: T; headers: Headers }> {
    const { method, path } = target(call);
    const headers = new Headers({ accept: "application/json" });
    if (call.body !== undefined) headers.set("content-type", "application/json");
    if (call.idempotencyKey !== undefined) headers.set("idempotency-key", call.idempotencyKey);
    if (call.connectionId !== undefined) headers.set("x-connection-id", call.connectionId);
    const body = call.body === undefined ? null : JSON.stringify(call.body);
    const safe = call.again ?? (method !== "POST" || call.idempotencyKey !== undefined);
    const { response, lost } = await this.#repeat(call.pattern, safe, call.options?.signal, async (signal) => {
      const answered = await this.#send(path + queryOf(call.query), { method, headers, body, signal });
      return { status: answered.status, headers: answered.headers, text: await readText(answered, call.pattern) };
    });
    if (method === "DELETE" && response.status === 404 && lost) {
      return { answer: undefined as T, headers: response.headers }; // the deletion whose answer was lost had happened
    }
    if (response.status < 200 || response.status > 299) {
      throw LatchkeyError.from(response.status, response.headers, response.text);
    }
    return { answer: parse<T>(response.status, response.text, call.pattern), headers: response.headers };
  }

  /** Sends a request as it is and returns the response as it is, whatever the status. */
  async forward(path: string, init: RequestInit & { signal?: AbortSignal }, safe: boolean): Promise<Response> {
    const { signal, ...rest } = init;
    const name = "proxy";
    const sent = await this.#repeat(name, safe, signal, (ending) => this.#send(path, { ...rest, signal: ending }));
    return sent.response;
  }

  #send(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("apikey", this.#apiKey);
    if (!headers.has("user-agent")) headers.set("user-agent", this.#userAgent);
    return this.#fetch(this.#base + path, { ...init, headers, redirect: "manual" });
  }

  /**
   * Tries, and if that is safe tries again after a trouble that may pass. Tells
   * whether a try was lost, so that nobody knows what it has done.
   */
  async #repeat<R extends { status: number; headers: Headers }>(
    name: string, safe: boolean, signal: AbortSignal | undefined, send: (signal: AbortSignal) => Promise<R>,
  ): Promise<{ response: R; lost: boolean }> {
    let lost = false;
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#try(name, signal, send);
      const trouble = outcome instanceof LatchkeyTransportError ? outcome.mayPass : mayPass(outcome.status);
      if (!safe || attempt >= this.#maxRetries || !trouble) {
        if (outcome instanceof LatchkeyTransportError) throw outcome;
        return { response: outcome, lost };
      }
      lost ||= outcome instanceof LatchkeyTransportError || outcome.status !== 429;
      const delay = delayOf(outcome instanceof LatchkeyTransportError ? undefined : outcome.headers, attempt);
      if (outcome instanceof Response) await outcome.body?.cancel();
      await pause(delay, signal);
    }
  }

  /** Tries once, within the time that a try has. What went wrong on the way is returned. */
  async #try<R>(name: string, signal: AbortSignal | undefined, send: (signal: AbortSignal) => Promise<R>): Promise<R | LatchkeyTransportError> {
    signal?.throwIfAborted();
    const ending = new AbortController();
    const abort = () => ending.abort(signal?.reason);
    signal?.addEventListener("abort", abort);
    const timer = this.#timeout > 0 ? setTimeout(() => ending.abort(new Error("timeout")), this.#timeout) : undefined;
    let began = false;
    try {
      const outcome = await send(ending.signal);
      began = outcome instanceof Response;
      return outcome;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof LatchkeyTransportError) return error;
      return new LatchkeyTransportError(`${name}: no answer (${reasonOf(error, ending.signal)})`, true);
    } finally {
      clearTimeout(timer);
      if (!began) signal?.removeEventListener("abort", abort); // else the signal still ends the streaming body
    }
  }
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined; // the parser's own error has the text in it
  }
}

/** Makes a random idempotency key. */
export async function randomKey(): Promise<string> {
  return (await webCrypto()).randomUUID();
}

/** Says in a word why there was no answer. A runtime's own message may hold the URL, and with it a client secret. */
function reasonOf(error: unknown, ended: AbortSignal): string {
  if (ended.aborted) return "timeout";
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]*$/.test(code)) return code;
  }
  return error instanceof Error ? error.name : "unknown";
}
