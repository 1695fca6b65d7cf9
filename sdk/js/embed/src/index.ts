/** Shows a link of a Latchkey server in a page: in a dialog, in a window, or by going there. */
import { attend, define } from "./element.js";
import { create } from "./link.js";

export type { Close, Handle, Labels, Mode, Options, Success, User } from "./options.js";
export { attend, create, define };

/** The same by name, as the script of a server has it: `Latchkey.create(…)`. */
export const Latchkey = { create };
export default Latchkey;
