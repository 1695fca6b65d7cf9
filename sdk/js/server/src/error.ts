import { retryAfter } from "./retry.js";
import type { Session } from "./session.js";

/** Classifies an error answer. */
export type ErrorCode =
  | "UNAUTHORIZED"
  | "SESSION_NOT_PROVIDED"
  | "SESSION_EXPIRED"
  | "FORBIDDEN"
  | "BAD_REQUEST"
  | "RESOURCE_NOT_FOUND"
  | "ROUTE_NOT_FOUND"
  | "CONFLICT"
  | "PAYLOAD_TOO_LARGE"
  | "UNSUPPORTED_MEDIA_TYPE"
  | "RATE_LIMIT_EXCEEDED"
  | "INTERNAL_ERROR"
  | "PROXY_ERROR"
  | "NETWORK_ERROR";

/** What helps against an error. refresh_session: the person must link again. */
export type RequiredAction = "refresh_session";

/** An error on the wire. `error` repeats `message` and `code` repeats `type`, for clients of older shapes. */
export interface ErrorBody {
  error: string;
  message: string;
  type: ErrorCode;
  code: ErrorCode;
  requestId: string;
  actionRequired?: RequiredAction;
  details?: { field: string };
  current?: Session;
}

/** An answer by which the server refuses. */
export class LatchkeyError extends Error {
  /** Of HTTP. */
  readonly status: number;
  /** Undefined when the answer was not the API's own. */
  readonly type: ErrorCode | undefined;
  /** The same as type. */
  readonly code: ErrorCode | undefined;
  /** The first field at fault, of a BAD_REQUEST. */
  readonly field: string | undefined;
  /** req_…, leads to the server's log line. */
  readonly requestId: string | undefined;
  readonly actionRequired: RequiredAction | undefined;
  /** Seconds; undefined when the server did not say. */
  readonly retryAfter: number | undefined;
  /** The session as it stands, when a submission answered an older step. */
  readonly current: Session | undefined;

  private constructor(status: number, headers: Headers, body: Partial<ErrorBody>) {
    super(body.message ?? `the server answered ${status}`);
    this.name = "LatchkeyError";
    this.status = status;
    this.type = body.type;
    this.code = body.code ?? body.type;
    this.field = body.details?.field;
    this.requestId = body.requestId ?? headers.get("x-request-id") ?? undefined;
    this.actionRequired = body.actionRequired;
    this.retryAfter = retryAfter(headers);
    this.current = body.current;
  }

  /** Reads the error that an answer tells of. */
  static from(status: number, headers: Headers, text: string): LatchkeyError {
    let body: Partial<ErrorBody> = {};
    try {
      const parsed: unknown = JSON.parse(text);
      if (parsed && typeof parsed === "object" && "type" in parsed && typeof parsed.type === "string") body = parsed as Partial<ErrorBody>;
    } catch {
      // a gateway's page, or a provider's own words
    }
    return new LatchkeyError(status, headers, body);
  }
}

/** The server gave no answer, or none that can be used. The message names the call, never its URL. */
export class LatchkeyTransportError extends Error {
  /** Whether the same call may fare better later. */
  readonly mayPass: boolean;

  constructor(message: string, mayPass: boolean) {
    super(message);
    this.name = "LatchkeyTransportError";
    this.mayPass = mayPass;
  }
}

/**
 * Returns the error that a proxied response tells of, and undefined for a good
 * one. It reads the body. The type of a provider's own error is undefined,
 * unless the provider speaks as Latchkey does.
 */
export async function errorOf(response: Response): Promise<LatchkeyError | undefined> {
  if (response.status >= 200 && response.status < 300) return undefined;
  return LatchkeyError.from(response.status, response.headers, await response.text());
}
