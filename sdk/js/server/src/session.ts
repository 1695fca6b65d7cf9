import type { Mode } from "./link.js";
import type { ListOptions } from "./page.js";
import type { Step, StepName, TwoFactorState } from "./step.js";

/** How a link session stands. pending: a login is being tried, or awaits confirmation. */
export type SessionStatus =
  | "initialized"
  | "pending"
  | "awaiting_2fa"
  | "completed"
  | "invalid_credentials"
  | "denied"
  | "failed"
  | "not_found";

/** Why a session did not end in a connection, or why what was submitted was refused. */
export type FailureCode =
  | "session_expired"
  | "invalid_credentials"
  | "account_locked"
  | "2fa_failed"
  | "access_denied"
  | "account_mismatch"
  | "provider_unavailable"
  | "too_many_attempts"
  | "location_unavailable"
  | "cancelled";

/** How a session stands. */
export interface Session {
  status: SessionStatus;
  /** Absent for not_found. */
  data?: SessionData;
}

/** What the status carries. */
export interface SessionData {
  /** What is wanted next, or where the person gave up. */
  step?: Step;
  twoFactorState?: TwoFactorState;
  /** conn_…, when completed. */
  id?: string;
  userData?: UserData;
  errorCode?: FailureCode;
  /** The raw session, only where that is allowed. */
  session?: Record<string, unknown>;
}

/** The linked person as the provider knows them. */
export interface UserData {
  id: string;
  name: string;
  username: string;
  /** URL. */
  avatar: string | null;
}

/** A session in a list. */
export interface SessionSummary {
  /** ls_… */
  id: string;
  status: Exclude<SessionStatus, "not_found">;
  clientAppId: string;
  mode: Mode;
  /** null: not chosen yet. */
  provider: string | null;
  clientReferenceId: string | null;
  connectionId: string | null;
  errorCode: FailureCode | null;
  /** Where it stands or ended; null when completed. */
  step: StepName | null;
  createdAt: string;
  updatedAt: string;
  expiresAt: string;
}

/** Narrows a list of sessions. */
export interface SessionFilter extends ListOptions {
  status?: Exclude<SessionStatus, "not_found">;
  clientAppId?: string;
  clientReferenceId?: string;
  /** Created at or after. */
  from?: Date | string;
  /** Created before. */
  to?: Date | string;
}

/** Reports whether a session has ended. */
export function isFinal(status: SessionStatus): boolean {
  return status === "completed" || status === "denied" || status === "failed" || status === "not_found";
}
