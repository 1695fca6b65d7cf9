import type { EventType } from "./event.js";
import { all, type ListOptions, type Page } from "./page.js";
import type { CallOptions } from "./call.js";
import type { Transport } from "./transport.js";

/** Whether an endpoint is sent to. parked: it failed for days, its queue is kept. */
export type EndpointStatus = "enabled" | "disabled" | "parked";

/** A URL that is told of events. */
export interface WebhookEndpoint {
  /** we_… */
  id: string;
  url: string;
  /** "*": every type. */
  events: (EventType | "*")[];
  description: string;
  status: EndpointStatus;
  /** Deliveries in a second at most; null: the server's default. */
  rateLimit: number | null;
  createdAt: string;
}

/** An endpoint with its new secret. */
export interface WebhookEndpointCreated extends WebhookEndpoint {
  /** whsec_…, for verifyWebhook; shown this once. */
  secret: string;
}

/** An endpoint to be made. */
export interface NewWebhookEndpoint {
  url: string;
  /** Absent: every type. */
  events?: (EventType | "*")[];
  description?: string;
  /** Deliveries in a second at most, up to 1000; null: the server's default. */
  rateLimit?: number | null;
}

/** Changes what it names and leaves the rest. To enable a parked endpoint lets its queue go on. */
export interface WebhookEndpointPatch extends Partial<NewWebhookEndpoint> {
  status?: "enabled" | "disabled";
}

/** Whether an event has reached an endpoint. */
export type DeliveryState = "pending" | "delivered";

/** One event on its way to one endpoint. */
export interface Delivery {
  /** evt_… */
  eventId: string;
  type: EventType;
  /** The connection or session it happened to. */
  subject: string;
  state: DeliveryState;
  attempts: number;
  /** Of HTTP; null: no attempt, or no answer. */
  lastStatus: number | null;
  /** Of the last answer, or of the trouble. */
  excerpt: string | null;
  nextAttemptAt: string | null;
  updatedAt: string;
}

/** Narrows a list of deliveries. */
export interface DeliveryFilter extends ListOptions {
  state?: DeliveryState;
}

/** Which events are sent once more: those after a cursor of events, up to another if one is given, or up to 100 by their ids. */
export interface ReplayRequest {
  /** "0": all that are kept. */
  after?: string;
  /** Beside after: the cursor of the last. */
  until?: string;
  eventIds?: string[];
}

/** How many events will be sent. */
export interface ReplayAnswer {
  queued: number;
}

/** Manages who is told of events. Its calls need the scope ADMIN. */
export class WebhookEndpointsService {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Returns one page of the endpoints. */
  list(page?: ListOptions, options?: CallOptions): Promise<Page<WebhookEndpoint>> {
    return this.#transport.call({ pattern: "GET /v2/webhook-endpoints", query: { ...page }, options });
  }

  /** Reads all endpoints, page by page. */
  all(options?: CallOptions): AsyncGenerator<WebhookEndpoint, void, undefined> {
    return all({}, (page: ListOptions) => this.list(page, options));
  }

  /** Returns one endpoint. */
  get(id: string, options?: CallOptions): Promise<WebhookEndpoint> {
    return this.#transport.call({ pattern: "GET /v2/webhook-endpoints/{id}", id, options });
  }

  /** Makes an endpoint. Keep the secret of the answer: it is not shown again. Never sent twice. */
  create(endpoint: NewWebhookEndpoint, options?: CallOptions): Promise<WebhookEndpointCreated> {
    return this.#transport.call({ pattern: "POST /v2/webhook-endpoints", body: endpoint, options });
  }

  /** Changes an endpoint. */
  update(id: string, patch: WebhookEndpointPatch, options?: CallOptions): Promise<WebhookEndpoint> {
    return this.#transport.call({ pattern: "PATCH /v2/webhook-endpoints/{id}", id, body: patch, options });
  }

  /** Deletes an endpoint and its queue. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.call({ pattern: "DELETE /v2/webhook-endpoints/{id}", id, options });
  }

  /** Gives the endpoint a new secret. The old one signs too for 24 hours; give verifyWebhook both. Never sent twice. */
  rotateSecret(id: string, options?: CallOptions): Promise<WebhookEndpointCreated> {
    return this.#transport.call({ pattern: "POST /v2/webhook-endpoints/{id}/rotate-secret", id, options });
  }

  /** Returns one page of the endpoint's deliveries, newest first. */
  deliveries(id: string, filter?: DeliveryFilter, options?: CallOptions): Promise<Page<Delivery>> {
    return this.#transport.call({ pattern: "GET /v2/webhook-endpoints/{id}/deliveries", id, query: { ...filter }, options });
  }

  /** Reads all of the endpoint's deliveries, newest first, page by page. */
  allDeliveries(id: string, filter?: DeliveryFilter, options?: CallOptions): AsyncGenerator<Delivery, void, undefined> {
    return all(filter, (page: DeliveryFilter) => this.deliveries(id, page, options));
  }

  /** Sends events to the endpoint once more. Never sent twice. */
  replay(id: string, request: ReplayRequest, options?: CallOptions): Promise<ReplayAnswer> {
    return this.#transport.call({ pattern: "POST /v2/webhook-endpoints/{id}/replay", id, body: request, options });
  }
}
