import type { CallOptions } from "./call.js";
import type { Transport } from "./transport.js";

/** Trial or truth; a key belongs to one. */
export type Environment = "sandbox" | "live";

/** What a key may do. */
export type Scope = "LINK" | "ACCOUNT" | "ACCESS" | "ADMIN";

/** Whose the key is, and what it may do. */
export interface Whoami {
  /** org_… */
  id: string;
  name: string | null;
  permissions: Scope[];
}

/** What holds for the organisation's sessions unless they say otherwise. */
export interface Settings {
  /** org_… */
  id: string;
  name: string | null;
  defaults: SettingsDefaults;
  vaultPlus: VaultPlus;
}

/** For sessions that do not say otherwise. */
export interface SettingsDefaults {
  /** Seconds. */
  expiresIn: number;
  /** BCP 47; null: the browser's. */
  locale: string | null;
}

/** Always disabled; there for clients that read it. */
export interface VaultPlus {
  enabled: boolean;
  autoEnableForNewConnections: boolean;
}

/** Changes what it names and leaves the rest. */
export interface SettingsPatch {
  name?: string;
  defaults?: Partial<SettingsDefaults>;
  vaultPlus?: VaultPlusPatch;
}

/** Can only say that it stays disabled. */
export interface VaultPlusPatch {
  enabled?: false;
}

/** Tells of the key's organisation. Its calls need the scope ACCOUNT. */
export class AccountService {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Tells whose the client's key is. */
  whoami(options?: CallOptions): Promise<Whoami> {
    return this.#transport.call({ pattern: "GET /v2/account/whoami", options });
  }

  /** Returns the organisation's settings. */
  settings(options?: CallOptions): Promise<Settings> {
    return this.#transport.call({ pattern: "GET /v2/account/settings", options });
  }

  /** Changes the organisation's settings. */
  updateSettings(patch: SettingsPatch, options?: CallOptions): Promise<Settings> {
    return this.#transport.call({ pattern: "PATCH /v2/account/settings", body: patch, options });
  }
}
