import { LatchkeyTransportError } from "./error.js";

/** Of an answer of the API, in bytes. What comes through the proxy is the caller's to bound. */
const maxAnswer = 8 << 20;

/** Reads a whole answer, up to its bound. */
export async function readText(response: Response, name: string): Promise<string> {
  if (!response.body) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (let size = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > maxAnswer) {
      await reader.cancel();
      throw new LatchkeyTransportError(`${name}: the answer is larger than 8 MiB`, false);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** Reads a good answer's JSON. */
export function parse<T>(status: number, text: string, name: string): T {
  if (status === 204) return undefined as T;
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
    throw new LatchkeyTransportError(`${name}: the answer ${status} is not a JSON object`, false);
  }
  return answer as T;
}
