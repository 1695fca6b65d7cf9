/**
 * Calls the API of a Latchkey server from a backend: starts link sessions,
 * keeps track of connections, calls providers through the proxy, and checks
 * webhooks.
 *
 * @module
 */
export { Latchkey } from "./client.js";
export { LatchkeyError, LatchkeyTransportError, errorOf } from "./error.js";
export { WebhookError, verifyWebhook } from "./webhook.js";
export { isFinal } from "./session.js";
export { version } from "./transport.js";

export type * from "./access.js";
export type * from "./account.js";
export type * from "./api_key.js";
export type * from "./audit.js";
export type * from "./client_app.js";
export type * from "./connection.js";
export type { ErrorBody, ErrorCode, RequiredAction } from "./error.js";
export type * from "./event.js";
export type * from "./link.js";
export type { ListOptions, Page } from "./page.js";
export type { FailureCode, Session, SessionData, SessionFilter, SessionStatus, SessionSummary, UserData } from "./session.js";
export type * from "./step.js";
export type { CallOptions } from "./call.js";
export type { LatchkeyOptions } from "./transport.js";
export type { VerifyOptions, WebhookFault, WebhookHeaders } from "./webhook.js";
export type * from "./webhook_endpoint.js";
