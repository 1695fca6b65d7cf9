import type { Close, Success, User } from "./options.js";

/** A message of the page, copied field by field: nothing else of it is ever touched. */
export type Message =
  | { event: "loaded" }
  | { event: "invalid_session" }
  | { event: "success"; success: Success; redirect: boolean }
  | { event: "exit"; close: Close }
  | { event: "other"; name: string; metadata: unknown };

const type = "OFAUTH_LINK";

function own(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.prototype.hasOwnProperty.call(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function text(value: unknown, name: string): string {
  const found = own(value, name);
  return typeof found === "string" ? found : "";
}

function user(value: unknown): User | null {
  const id = text(value, "id");
  if (!id) return null;
  return { id, name: text(value, "name"), username: text(value, "username"), avatar: text(value, "avatar") || null };
}

/** read returns the message that the data of an event is, or undefined for what is none of ours. */
export function read(data: unknown): Message | undefined {
  if (text(data, "type") !== type) return undefined;
  const event = text(data, "event");
  const metadata = own(data, "metadata");
  switch (event) {
    case "loaded":
    case "invalid_session":
      return { event };
    case "success": {
      const successUrl = text(metadata, "successUrl");
      const connection = own(metadata, "connection");
      const id = text(connection, "id");
      if (!successUrl && !id) return undefined;
      return {
        event,
        redirect: own(metadata, "redirect") === true,
        success: { successUrl, connection: id ? { id, userData: user(own(connection, "userData")) } : null },
      };
    }
    case "exit": {
      const why = text(metadata, "type");
      const error = own(metadata, "error");
      const step = text(metadata, "step");
      return {
        event,
        close: {
          type: why === "error" || why === "forced_exit" ? why : "user_exit",
          ...(step ? { step } : {}),
          error: text(error, "error_type")
            ? { error_type: text(error, "error_type"), error_message: text(error, "error_message") }
            : null,
        },
      };
    }
  }
  return event ? { event: "other", name: event, metadata } : undefined;
}

/** leave is what asks the page to go. */
export function leave(force: boolean): object {
  return { type, event: "exit_requested", force };
}
