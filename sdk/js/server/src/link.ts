import { all, type Page } from "./page.js";
import type { Session, SessionFilter, SessionSummary } from "./session.js";
import type { Submission } from "./step.js";
import type { CallOptions } from "./call.js";
import { randomKey, type Transport } from "./transport.js";

/** How a session is driven: by Latchkey's pages, or by the app's own with submit. */
export type Mode = "hosted" | "whitelabel";

/** Chooses among the client apps when none is named. */
export type ModeHint = "redirect" | "embed" | "hosted" | "whitelabel";

/** Asks for a link session. */
export interface InitRequest {
  /** app_…; absent: the oldest that fits. */
  clientAppId?: string;
  /** One of the app's; absent: its first. */
  redirectUrl?: string;
  /** Your id of the user, 1 to 255 characters. */
  clientReferenceId?: string;
  /** conn_…: link this one anew. */
  connectionId?: string;
  geolocation?: Geolocation;
  /** @deprecated A hint without clientAppId. */
  mode?: ModeHint;
  /** @deprecated */
  options?: InitOptions;
  /** @deprecated The app's allowed origins count. */
  origin?: string;
  /** One of the app's; absent: the page asks. */
  provider?: string;
  /** Some of the app's; absent: all. */
  permissions?: string[];
  /** Seconds, 300 to 3600; absent: the organisation's default. */
  expiresIn?: number;
  /** BCP 47. */
  locale?: string;
  /** Up to 20, kept with the connection. */
  metadata?: Record<string, string>;
}

/** Picks where the provider is called from. */
export interface Geolocation {
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** The part of ISO 3166-2 after the dash. */
  state?: string;
  city?: string;
}

/** Deprecated, and honoured only where the client app allows the same. */
export interface InitOptions {
  returnRawSession?: boolean;
}

/** A session that was started. */
export type InitAnswer = HostedLink | WhitelabelLink;

/** A session that a page leads through. */
export interface HostedLink {
  mode: "hosted";
  /** Of the page, for one person's browser. */
  url: string;
  expiresAt: string;
  /** ls_…, opens nothing and may be logged. */
  sessionId: string;
}

/** A session that the app leads through. */
export interface WhitelabelLink {
  mode: "whitelabel";
  /** cs_…, opens the session. */
  clientSecret: string;
  expiresAt: string;
  /** ls_…, opens nothing and may be logged. */
  sessionId: string;
}

/** What came back in the redirect of an app that requires confirmation, and the reference of the user who is signed in. */
export interface ConfirmRequest {
  /** Good once, for 60 seconds. */
  code: string;
  clientReferenceId: string;
}

/** Options of init. */
export interface InitCallOptions extends CallOptions {
  /** Up to 255 bytes of printable ASCII: the same request with the same key is the same session for 24 hours. */
  idempotencyKey?: string;
}

/** Starts link sessions and follows them. Its calls need the scope LINK. */
export class LinkService {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /**
   * Starts a session. Without an idempotency key of the caller's it has a
   * random one, so that its own retries never start two. replayed tells that
   * the answer is that of an earlier call with the same key.
   */
  async init(request: InitRequest = {}, options: InitCallOptions = {}): Promise<InitAnswer & { replayed: boolean }> {
    const idempotencyKey = options.idempotencyKey ?? (await randomKey());
    const { answer, headers } = await this.#transport.exchange<InitAnswer>({ pattern: "POST /v2/link/init", body: request, idempotencyKey, options });
    return { ...answer, replayed: headers.get("idempotent-replayed") === "true" };
  }

  /** Makes the connection of a session that awaits it. Never sent twice: a code is good once. */
  confirm(request: ConfirmRequest, options?: CallOptions): Promise<Session> {
    return this.#transport.call({ pattern: "POST /v2/link/confirm", body: request, options });
  }

  /** Tells how the session of the client secret (cs_…) stands. An unknown one is not_found, and no error. */
  status(clientSecret: string, options?: CallOptions): Promise<Session> {
    return this.#transport.call({ pattern: "GET /v2/link/{clientSecret}", id: clientSecret, options });
  }

  /** Tells how the session of the id (ls_…) stands. An unknown one is not_found, and no error. */
  session(id: string, options?: CallOptions): Promise<Session> {
    return this.#transport.call({ pattern: "GET /v2/link/sessions/{id}", id, options });
  }

  /** Returns one page of the sessions, newest first. */
  sessions(filter?: SessionFilter, options?: CallOptions): Promise<Page<SessionSummary>> {
    return this.#transport.call({ pattern: "GET /v2/link/sessions", query: { ...filter }, options });
  }

  /** Reads all sessions, newest first, page by page. */
  allSessions(filter?: SessionFilter, options?: CallOptions): AsyncGenerator<SessionSummary, void, undefined> {
    return all(filter, (page: SessionFilter) => this.sessions(page, options));
  }

  /** Answers the step that a whitelabel session shows. Never sent twice; one for an older step is a CONFLICT whose `current` is the session. */
  submit(clientSecret: string, submission: Submission, options?: CallOptions): Promise<Session> {
    return this.#transport.call({ pattern: "POST /v2/link/{clientSecret}/submit", id: clientSecret, body: submission, options });
  }

  /** Ends the session and shreds what it held. An unknown one is no error. */
  async delete(clientSecret: string, options?: CallOptions): Promise<void> {
    await this.#transport.call({ pattern: "DELETE /v2/link/{clientSecret}", id: clientSecret, options });
  }
}
