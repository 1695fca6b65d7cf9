/** How the link is shown. `auto` is a dialog, or the page itself where dialogs are no good: in the web view of an app. */
export type Mode = "iframe" | "popup" | "redirect" | "auto";

/** The account as the provider names it. */
export interface User {
  id: string;
  name: string;
  username: string;
  avatar: string | null;
}

/** A finished link. */
export interface Success {
  /** The connection; null when your backend must confirm the link first, with the `code` in `successUrl`. */
  connection: { id: string; userData: User | null } | null;
  /** Your redirect URI, with what a redirect would have carried. */
  successUrl: string;
}

/** Why the link was left without a connection. */
export interface Close {
  /**
   * `user_exit`: by the person. `error`: it failed, see `error`. `forced_exit`: by `destroy` or the host.
   * `unknown`: the window can't be seen from here (your page severs it, as `Cross-Origin-Opener-Policy: same-origin`
   * does): the link may still succeed, and your webhook or redirect URI is told.
   */
  type: "user_exit" | "error" | "forced_exit" | "unknown";
  /** Where it was left: pre-login, login, 2fa, success, error. */
  step?: string;
  error: { error_type: string; error_message: string } | null;
}

/** What the dialog says, to be translated. */
export interface Labels {
  dialog: string;
  close: string;
  problem: string;
  newWindow: string;
}

/** What a link is opened with. */
export interface Options {
  /** The `url` of `POST /v2/link/init`, or what gets it from your backend when the person clicks. */
  url: string | (() => string | Promise<string>);
  theme?: "light" | "dark" | "auto";
  mode?: Mode;
  labels?: Partial<Labels>;
  /** Called exactly once, when the account is linked. */
  onSuccess?: (success: Success) => void;
  /** Called once when it ends in any other way. */
  onClose?: (close: Close) => void;
  /** Called when the page is there. */
  onLoad?: () => void;
  /** The link is used up, expired or unknown: make a new one. */
  onInvalidSession?: () => void;
  /** `url` is not one, or could not be got. Without it the error is thrown or logged. */
  onError?: (error: Error) => void;
  /** Every message of the page, for the curious. */
  onMessage?: (event: string, metadata: unknown) => void;
}

/** A link that can be opened. */
export interface Handle {
  /** Opens it. In a popup this must happen inside a click. */
  open(): void;
  /** Asks the page to leave, as its own button does. */
  close(): void;
  /** Takes everything away at once, without calling anybody. */
  destroy(): void;
}
