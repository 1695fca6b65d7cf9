// The SDK as a script tag has it: one global, Latchkey. A second one on the
// same page changes nothing.
import { attend, define } from "./element.js";
import { create } from "./link.js";

const page = globalThis as { Latchkey?: { create: typeof create } };
if (!page.Latchkey) {
  page.Latchkey = Object.freeze({ create });
  define();
  attend();
}
