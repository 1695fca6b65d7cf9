import type { VaultPlusPatch } from "./account.js";
import { all, type ListOptions, type Page } from "./page.js";
import type { UserData } from "./session.js";
import type { CallOptions } from "./call.js";
import type { Transport } from "./transport.js";

/** How a connection stands. expired: the person must link again. */
export type ConnectionStatus = "active" | "expired" | "awaiting_2fa" | "pending";

/** A linked account. */
export interface Connection {
  /** conn_… */
  id: string;
  status: ConnectionStatus;
  userData: UserData;
  permissions: string[];
  expiredAt: string | null;
  createdAt: string;
  updatedAt: string;
  clientReferenceId: string | null;
  imported: boolean;
  lastCheckedAt: string | null;
  provider: string;
  metadata: Record<string, string> | null;
  /** null: not expired. */
  expiry: Expiry | null;
}

/** Why a connection has expired. */
export interface Expiry {
  reason: string;
  /** It can be linked anew. */
  canReauth: boolean;
  /** Where to send the person for that; absent where the app has no pages. */
  reconnectUrl?: string;
}

/** Narrows a list of connections. */
export interface ConnectionFilter extends ListOptions {
  status?: ConnectionStatus;
  imported?: boolean;
  clientReferenceId?: string;
  provider?: string;
}

/** An account that was linked elsewhere: by cookie and userAgent, or by provider and credentials. */
export interface ImportRequest {
  provider?: string;
  cookie?: string;
  /** That the cookie was issued to. */
  userAgent?: string;
  /** Up to 20, named as the provider's fields are. */
  credentials?: Record<string, string>;
  permissions?: string[];
  clientReferenceId?: string | null;
}

/** New credentials of an imported account: cookie and userAgent, or credentials. */
export interface ReimportRequest {
  cookie?: string;
  userAgent?: string;
  credentials?: Record<string, string>;
}

/** What holds for one connection. */
export interface ConnectionSettings {
  rateLimit: RateLimit;
  metadata: Record<string, string>;
  vaultPlus: ConnectionVaultPlus;
}

/** The token bucket of the connection's calls through the proxy. */
export interface RateLimit {
  /** How fast it refills, 1 to 6000. */
  perMinute: number;
  /** How many calls it holds, 1 to 6000. */
  burst: number;
}

/** Always disabled; there for clients that read it. */
export interface ConnectionVaultPlus {
  enabled: boolean;
}

/** Changes what it names and leaves the rest; metadata is replaced as a whole. */
export interface ConnectionSettingsPatch {
  rateLimit?: Partial<RateLimit>;
  metadata?: Record<string, string>;
  vaultPlus?: VaultPlusPatch;
}

/** Keeps the linked accounts. Its calls need the scope ACCOUNT. */
export class ConnectionsService {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Returns one page of the connections, newest first. */
  list(filter?: ConnectionFilter, options?: CallOptions): Promise<Page<Connection>> {
    return this.#transport.call({ pattern: "GET /v2/account/connections", query: { ...filter }, options });
  }

  /** Reads all connections, newest first, page by page. */
  all(filter?: ConnectionFilter, options?: CallOptions): AsyncGenerator<Connection, void, undefined> {
    return all(filter, (page: ConnectionFilter) => this.list(page, options));
  }

  /** Returns one connection. */
  get(id: string, options?: CallOptions): Promise<Connection> {
    return this.#transport.call({ pattern: "GET /v2/account/connections/{id}", id, options });
  }

  /** Makes a connection of an account that was linked elsewhere, once the provider has said that it works. Never sent twice. */
  import(request: ImportRequest, options?: CallOptions): Promise<Connection> {
    return this.#transport.call({ pattern: "POST /v2/account/connections/import", body: request, options });
  }

  /** Gives an imported connection new credentials of the same person; another person's are a CONFLICT. Never sent twice. */
  reimport(id: string, request: ReimportRequest, options?: CallOptions): Promise<Connection> {
    return this.#transport.call({ pattern: "PATCH /v2/account/connections/import/{id}", id, body: request, again: false, options });
  }

  /** Ends the connection's credential and keeps its record: its status becomes expired. */
  async invalidate(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.call({ pattern: "POST /v2/account/connections/{id}/invalidate", id, again: true, options });
  }

  /** Deletes the connection, shreds its credential and tells the provider. */
  async disconnect(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.call({ pattern: "DELETE /v2/account/connections/{id}", id, options });
  }

  /** Returns the settings of a connection. */
  settings(id: string, options?: CallOptions): Promise<ConnectionSettings> {
    return this.#transport.call({ pattern: "GET /v2/account/connections/{id}/settings", id, options });
  }

  /** Changes the settings of a connection. */
  updateSettings(id: string, patch: ConnectionSettingsPatch, options?: CallOptions): Promise<ConnectionSettings> {
    return this.#transport.call({ pattern: "PATCH /v2/account/connections/{id}/settings", id, body: patch, options });
  }
}
