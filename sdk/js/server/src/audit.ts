import { all, type ListOptions, type Page } from "./page.js";
import type { CallOptions } from "./call.js";
import type { Transport } from "./transport.js";

/** What was done. */
export type AuditAction =
  | "consent.given"
  | "credential.opened"
  | "credential.returned"
  | "credential.revoked"
  | "credential.not_revocable"
  | "credential.revocation_failed"
  | "connection.imported"
  | "connection.disconnected"
  | "connection.invalidated"
  | "client_app.created"
  | "client_app.updated"
  | "client_app.deleted"
  | "api_key.created"
  | "api_key.updated"
  | "api_key.revoked"
  | "webhook_endpoint.created"
  | "webhook_endpoint.updated"
  | "webhook_endpoint.deleted"
  | "webhook_endpoint.secret_rotated"
  | "settings.updated";

/** One line of the record, which is only ever added to. */
export interface AuditRecord {
  /** A key's id, or the session of the person. */
  actor: string;
  action: AuditAction;
  /** The id of what it was done to. */
  subject: string;
  detail: Record<string, unknown>;
  createdAt: string;
  chain: AuditChain;
}

/** The record's place in a chain of hashes: a line that is removed or altered later shows. */
export interface AuditChain {
  lane: number;
  /** In the lane, without gaps. */
  number: number;
  /** Hex SHA-256. */
  hash: string;
}

/** Narrows a list of records. */
export interface AuditFilter extends ListOptions {
  actor?: string;
  action?: AuditAction;
  subject?: string;
  /** Written at or after. */
  from?: Date | string;
  /** Written before. */
  to?: Date | string;
}

/** Tells who did what. Its calls need the scope ADMIN. */
export class AuditService {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Returns one page of the records, newest first. */
  list(filter?: AuditFilter, options?: CallOptions): Promise<Page<AuditRecord>> {
    return this.#transport.call({ pattern: "GET /v2/audit", query: { ...filter }, options });
  }

  /** Reads all records, newest first, page by page. */
  all(filter?: AuditFilter, options?: CallOptions): AsyncGenerator<AuditRecord, void, undefined> {
    return all(filter, (page: AuditFilter) => this.list(page, options));
  }
}
