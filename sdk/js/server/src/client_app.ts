import type { Environment } from "./account.js";
import { all, type ListOptions, type Page } from "./page.js";
import type { Permission } from "./step.js";
import type { CallOptions } from "./call.js";
import type { Transport } from "./transport.js";

/** How a client app is mounted: the person is sent to the page, the page is framed, or the app shows the steps itself. */
export type AppType = "redirect" | "embed" | "whitelabel";

/** What people see that asks them, and where it may take them. */
export interface ClientApp {
  /** app_… */
  id: string;
  name: string;
  domain: string;
  logoUrl: string | null;
  /** #rrggbb */
  accentColor: string | null;
  type: AppType;
  environment: Environment;
  redirectUris: string[];
  /** That may frame the page. */
  allowedOrigins: string[];
  providers: string[];
  permissions: Permission[];
  /** A link counts once it is confirmed. */
  requireConfirmation: boolean;
  whitelabelEnabled: boolean;
  rawSessionEnabled: boolean;
  /** Starts no sessions. */
  suspended: boolean;
  createdAt: string;
  updatedAt: string;
}

/** A client app to be made. */
export interface NewClientApp {
  /** 1 to 64 characters of one script. */
  name: string;
  /** Shown to people beside the name. */
  domain: string;
  logoUrl?: string | null;
  accentColor?: string | null;
  type: AppType;
  redirectUris?: string[];
  allowedOrigins?: string[];
  /** Absent: every one that is served. */
  providers?: string[];
  permissions?: Permission[];
  requireConfirmation?: boolean;
  whitelabelEnabled?: boolean;
  rawSessionEnabled?: boolean;
  suspended?: boolean;
}

/** Changes what it names and leaves the rest; a list replaces all. */
export type ClientAppPatch = Partial<Omit<NewClientApp, "type">>;

/** Manages client apps. Its calls need the scope ADMIN. */
export class ClientAppsService {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Returns one page of the client apps. */
  list(page?: ListOptions, options?: CallOptions): Promise<Page<ClientApp>> {
    return this.#transport.call({ pattern: "GET /v2/client-apps", query: { ...page }, options });
  }

  /** Reads all client apps, page by page. */
  all(options?: CallOptions): AsyncGenerator<ClientApp, void, undefined> {
    return all({}, (page: ListOptions) => this.list(page, options));
  }

  /** Returns one client app. */
  get(id: string, options?: CallOptions): Promise<ClientApp> {
    return this.#transport.call({ pattern: "GET /v2/client-apps/{id}", id, options });
  }

  /** Makes a client app in the key's environment. Never sent twice. */
  create(app: NewClientApp, options?: CallOptions): Promise<ClientApp> {
    return this.#transport.call({ pattern: "POST /v2/client-apps", body: app, options });
  }

  /** Changes a client app. */
  update(id: string, patch: ClientAppPatch, options?: CallOptions): Promise<ClientApp> {
    return this.#transport.call({ pattern: "PATCH /v2/client-apps/{id}", id, body: patch, options });
  }

  /** Deletes a client app; its connections stay. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.call({ pattern: "DELETE /v2/client-apps/{id}", id, options });
  }
}
