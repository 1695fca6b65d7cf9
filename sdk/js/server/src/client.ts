import { AccessService } from "./access.js";
import { AccountService } from "./account.js";
import { ApiKeysService } from "./api_key.js";
import { AuditService } from "./audit.js";
import { ClientAppsService } from "./client_app.js";
import { ConnectionsService } from "./connection.js";
import { EventsService } from "./event.js";
import { LinkService } from "./link.js";
import { Transport, type LatchkeyOptions } from "./transport.js";
import { WebhookEndpointsService } from "./webhook_endpoint.js";

/**
 * Calls one server with one key. Keep it on the server: a key belongs in no
 * browser. What the server refuses is thrown as a LatchkeyError.
 */
export class Latchkey {
  /** Link sessions. */
  readonly link: LinkService;
  /** The organisation of the key. */
  readonly account: AccountService;
  /** Linked accounts. */
  readonly connections: ConnectionsService;
  /** What people see that asks them. */
  readonly clientApps: ClientAppsService;
  /** Keys like the client's own. */
  readonly apiKeys: ApiKeysService;
  /** Who is told of events. */
  readonly webhookEndpoints: WebhookEndpointsService;
  /** What has happened. */
  readonly events: EventsService;
  /** Who did what. */
  readonly audit: AuditService;
  /** The providers, through the proxy. */
  readonly access: AccessService;

  /** Calls nothing. Options that can't be used are a TypeError, which never holds the key. */
  constructor(options: LatchkeyOptions) {
    const transport = new Transport(options);
    this.link = new LinkService(transport);
    this.account = new AccountService(transport);
    this.connections = new ConnectionsService(transport);
    this.clientApps = new ClientAppsService(transport);
    this.apiKeys = new ApiKeysService(transport);
    this.webhookEndpoints = new WebhookEndpointsService(transport);
    this.events = new EventsService(transport);
    this.audit = new AuditService(transport);
    this.access = new AccessService(transport);
  }
}
