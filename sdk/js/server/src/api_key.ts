import type { Environment, Scope } from "./account.js";
import { all, type ListOptions, type Page } from "./page.js";
import type { CallOptions } from "./call.js";
import type { Transport } from "./transport.js";

/** The record of a key that a backend calls with. */
export interface ApiKey {
  /** key_… */
  id: string;
  name: string;
  environment: Environment;
  scopes: Scope[];
  /** The first characters, to recognise it by. */
  prefix: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  createdAt: string;
}

/** The record of a new key, with the key. */
export interface ApiKeyCreated extends ApiKey {
  /** Shown this once. */
  key: string;
}

/** A key to be made. */
export interface NewApiKey {
  /** 1 to 100 characters. */
  name: string;
  /** At least one. */
  scopes: Scope[];
  /** Absent or null: never. */
  expiresAt?: Date | string | null;
}

/** Changes what it names and leaves the rest. */
export type ApiKeyPatch = Partial<NewApiKey>;

/** Manages keys. Its calls need the scope ADMIN. */
export class ApiKeysService {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Returns one page of the keys' records. */
  list(page?: ListOptions, options?: CallOptions): Promise<Page<ApiKey>> {
    return this.#transport.call({ pattern: "GET /v2/api-keys", query: { ...page }, options });
  }

  /** Reads the records of all keys, page by page. */
  all(options?: CallOptions): AsyncGenerator<ApiKey, void, undefined> {
    return all({}, (page: ListOptions) => this.list(page, options));
  }

  /** Returns one key's record. */
  get(id: string, options?: CallOptions): Promise<ApiKey> {
    return this.#transport.call({ pattern: "GET /v2/api-keys/{id}", id, options });
  }

  /** Makes a key of the client's own environment. Keep the key of the answer: it is not shown again. Never sent twice. */
  create(key: NewApiKey, options?: CallOptions): Promise<ApiKeyCreated> {
    return this.#transport.call({ pattern: "POST /v2/api-keys", body: key, options });
  }

  /** Changes a key's record. */
  update(id: string, patch: ApiKeyPatch, options?: CallOptions): Promise<ApiKey> {
    return this.#transport.call({ pattern: "PATCH /v2/api-keys/{id}", id, body: patch, options });
  }

  /** Revokes a key: within a second nothing takes it any more. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.call({ pattern: "DELETE /v2/api-keys/{id}", id, options });
  }
}
