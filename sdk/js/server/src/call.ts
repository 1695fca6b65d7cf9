/** What every method takes last. */
export interface CallOptions {
  /** Ends the call, its waiting included. */
  signal?: AbortSignal;
}

/** Values of a query; what is undefined is left out. */
export type Query = Record<string, string | number | boolean | Date | undefined>;

/** One call of the API. */
export interface Call {
  /** Method and path, with at most one {wildcard}. */
  pattern: string;
  /** What stands for the wildcard. */
  id?: string;
  query?: Query;
  body?: unknown;
  /** A call that has one is safe to send twice. */
  idempotencyKey?: string;
  /** Whether it is safe to send twice, where the method does not say. */
  again?: boolean;
  /** Of an access call. */
  connectionId?: string;
  options?: CallOptions | undefined;
}

/** Returns the method and the path of a call. */
export function target(call: Call): { method: string; path: string } {
  const [method = "", path = ""] = call.pattern.split(" ");
  return { method, path: path.replace(/\{(\w+)\}/, (_, name: string) => checkId(call.id, name)) };
}

/** Returns an id that can stand in a path as it is and can't be mistaken for another path. */
export function checkId(id: string | undefined, name: string): string {
  if (typeof id !== "string" || !/^[0-9A-Za-z_-]+$/.test(id)) {
    throw new TypeError(`${name} is empty or has characters that no id has`);
  }
  return id;
}

/** Returns a query with its question mark, or nothing. */
export function queryOf(query: Query | undefined): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== "") parameters.set(name, value instanceof Date ? value.toISOString() : String(value));
  }
  const text = parameters.toString();
  return text && `?${text}`;
}
