/**
 * How long is waited before a call is sent again, in milliseconds: a random
 * part of firstDelay, of twice as much the next time, and so on up to
 * longestDelay. What the server says in Retry-After counts instead, up to
 * longestRetryAfter.
 */
const firstDelay = 500;
const longestDelay = 8_000;
const longestRetryAfter = 60_000;

/** Reports whether the same call may fare better later. */
export function mayPass(status: number): boolean {
  return status === 429 || status === 502 || status === 503;
}

/** Returns how many milliseconds to wait before the next try. */
export function delayOf(headers: Headers | undefined, attempt: number): number {
  const after = headers && retryAfter(headers);
  if (after !== undefined) return Math.min(after * 1000, longestRetryAfter);
  return Math.random() * Math.min(firstDelay * 2 ** attempt, longestDelay);
}

/** Reads Retry-After in seconds: a number, or a date (RFC 9110 section 10.2.3). */
export function retryAfter(headers: Headers): number | undefined {
  const text = headers.get("retry-after") ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text);
  if (!/^[A-Z][a-z]{2},? /.test(text)) return undefined; // only the date forms of HTTP
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000);
}

/** Waits, or throws the signal's reason when that comes first. */
export function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
