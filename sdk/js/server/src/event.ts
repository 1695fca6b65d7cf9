import type { ConnectionStatus, Expiry } from "./connection.js";
import type { FailureCode, UserData } from "./session.js";
import type { StepName } from "./step.js";
import type { CallOptions } from "./call.js";
import type { Transport } from "./transport.js";

/** What happened to a connection: linked, linked anew, about to end, ended, deleted. */
export type ConnectionEventType =
  | "connection.created"
  | "connection.updated"
  | "connection.expiring"
  | "connection.expired"
  | "connection.disconnected";

/** How a session ended. */
export type SessionEventType = "link.session.completed" | "link.session.cancelled" | "link.session.failed" | "link.session.expired";

/** Names what happened. */
export type EventType = ConnectionEventType | SessionEventType;

/** Something that happened, as events lists it and webhooks tell it. The same event may be told more than once. */
export type LatchkeyEvent = LinkedEvent | ExpiringEvent | EndedEvent | SessionEvent;

/** What every event has. */
export interface EventEnvelope {
  /** evt_… */
  id: string;
  timestamp: string;
  live: boolean;
}

/** An account was linked, or linked anew. */
export interface LinkedEvent extends EventEnvelope {
  type: "connection.created" | "connection.updated";
  /** The same as type. */
  eventType: "connection.created" | "connection.updated";
  data: { clientReferenceId: string | null; connection: LinkedEventConnection };
}

/** A connection is about to end: the person must link again before that. */
export interface ExpiringEvent extends EventEnvelope {
  type: "connection.expiring";
  /** The same as type. */
  eventType: "connection.expiring";
  data: { clientReferenceId: string | null; connection: ExpiringEventConnection };
}

/** A connection has ended: the person must link again, or it was deleted. */
export interface EndedEvent extends EventEnvelope {
  type: "connection.expired" | "connection.disconnected";
  /** The same as type. */
  eventType: "connection.expired" | "connection.disconnected";
  data: { clientReferenceId: string | null; connection: EndedEventConnection };
}

/** A session has ended. */
export interface SessionEvent extends EventEnvelope {
  type: SessionEventType;
  /** The same as type. */
  eventType: SessionEventType;
  data: { clientReferenceId: string | null; session: EventSession };
}

/** The connection of an event. */
export interface EventConnection {
  /** conn_… */
  id: string;
  platformUserId: string;
  status: ConnectionStatus;
}

/** The connection of an event that warns of its end. */
export interface ExpiringEventConnection extends EventConnection {
  /** When its credential ends. */
  expiresAt: string;
  expiry: Expiry;
}

/** The connection of an event that tells of its end. */
export interface EndedEventConnection extends EventConnection {
  /** How it has expired. */
  expiry?: Expiry;
}

/** The connection of an event that tells of a link. */
export interface LinkedEventConnection extends EventConnection {
  permissions: string[];
  userData: EventUserData;
}

/** The linked person. userId repeats id. */
export interface EventUserData extends UserData {
  userId: string;
}

/** The session of an event. */
export interface EventSession {
  /** ls_… */
  id: string;
  status: "completed" | "denied" | "failed";
  errorCode?: FailureCode;
  /** Where the person gave up. */
  step?: StepName;
  connectionId?: string;
}

/** One page of events, oldest first. */
export interface EventPage {
  list: LatchkeyEvent[];
  hasMore: boolean;
  /** Where the page ends: the `after` of the next. */
  cursor: string;
}

/** Which page of events is wanted. */
export interface EventFilter {
  /** The cursor of a page; absent: from the oldest that is kept. */
  after?: string;
  /** 1 to 100; 10 by default. */
  limit?: number;
}

/** Tells what has happened, to those who ask instead of being told. Its calls need the scope ADMIN. */
export class EventsService {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Returns one page of events, oldest first. */
  list(filter?: EventFilter, options?: CallOptions): Promise<EventPage> {
    return this.#transport.call({ pattern: "GET /v2/events", query: { ...filter }, options });
  }

  /**
   * Reads page after page, from the cursor to the newest event. Keep the cursor
   * of a page once its events are dealt with, and begin there next time.
   */
  async *pages(after?: string, options?: CallOptions): AsyncGenerator<EventPage, void, undefined> {
    for (let cursor = after; ; ) {
      const page = await this.list({ limit: 100, ...(cursor && { after: cursor }) }, options);
      yield page;
      if (!page.hasMore || page.cursor === cursor) return;
      cursor = page.cursor;
    }
  }

  /** Reads all events from the cursor to the newest, page by page. */
  async *all(after?: string, options?: CallOptions): AsyncGenerator<LatchkeyEvent, void, undefined> {
    for await (const page of this.pages(after, options)) yield* page.list;
  }
}
