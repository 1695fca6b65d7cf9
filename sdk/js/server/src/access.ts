import type { UserData } from "./session.js";
import { checkId, type CallOptions } from "./call.js";
import type { Transport } from "./transport.js";

/** The linked person as the provider tells of them now. */
export interface Profile extends UserData {
  /** The provider's own words, or null. */
  raw: unknown;
}

/** A call of the provider's API. */
export interface ProxyInit extends CallOptions {
  /** GET by default. */
  method?: string;
  query?: URLSearchParams | Record<string, string>;
  /** Authorization and Cookie do not reach the provider. */
  headers?: HeadersInit;
  body?: BodyInit | null;
}

/** Calls the provider of a connection. Its calls need the scope ACCESS. */
export class AccessService {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Asks the provider who the connection's person is. */
  async self(connectionId: string, options?: CallOptions): Promise<Profile> {
    checkId(connectionId, "the connection's id");
    return this.#transport.call({ pattern: "GET /v2/access/self", connectionId, options });
  }

  /**
   * Calls the provider, at a path of its API that is escaped already (posts/1),
   * and returns its answer as it came, whatever the status. errorOf understands
   * what Latchkey itself answered in the provider's place. A GET, HEAD or
   * OPTIONS without a body may be sent twice, nothing else is.
   */
  async fetch(connectionId: string, path: string, init: ProxyInit = {}): Promise<Response> {
    const { query, method = "GET", ...rest } = init;
    const headers = new Headers(init.headers);
    headers.set("x-connection-id", checkId(connectionId, "the connection's id"));
    const body = init.body ?? null;
    const parameters = new URLSearchParams(query).toString();
    const safe = /^(GET|HEAD|OPTIONS)$/i.test(method) && body === null;
    const sent = { ...rest, method: method.toUpperCase(), headers, body, ...(body instanceof ReadableStream && { duplex: "half" }) };
    return this.#transport.forward(`/v2/access/proxy/${checkPath(path)}${parameters && `?${parameters}`}`, sent, safe);
  }
}

/**
 * Refuses a path by which a request could leave the proxy: one with "." or ".."
 * in it, which the URL parser or something on the way resolves, or with its own
 * query. A path made from what a user typed must be escaped part by part.
 */
function checkPath(path: string): string {
  const bare = path.replace(/^\//, "");
  if (!/^([\x21-\x7e])*$/.test(bare) || /[?#\\]/.test(bare) || /%(?![0-9a-f]{2})/i.test(bare)) {
    throw new TypeError("the path must be escaped, and its query given as query");
  }
  const plain = bare.replace(/%2e/gi, ".").replace(/%(2f|5c)/gi, "/");
  if (plain.split("/").some((part) => part === "." || part === "..")) {
    throw new TypeError('the path has "." or ".." in it');
  }
  return bare;
}
