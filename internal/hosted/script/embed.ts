import { isBusy, send } from "./form";
import { pageName } from "./swap";

const type = "OFAUTH_LINK";

interface Message {
  type: string;
  event: string;
  metadata?: { type?: string; [name: string]: unknown };
}

// post holds what the way to the host is in.
export const post = { ended: false, forced: false };

// host is the window that embeds the page or opened it, while it is there.
function host(): Window | null {
  if (parent !== window) return parent;
  return (opener as Window | null) || null;
}

// origin is the only one that is told anything: the server has checked it.
function origin(): string {
  const named = document.body.dataset.host || "";
  const ancestors = location.ancestorOrigins;
  if (parent !== window && ancestors && ancestors[0] !== named) return "";
  return named;
}

function tell(message: Message): boolean {
  const target = host();
  const to = origin();
  if (!target || !to) return false;
  target.postMessage(message, to);
  return true;
}

// over reports whether the host has been told the end.
export function over(): boolean {
  return post.ended;
}

// begin tells the host that the page is there, and listens to it.
export function begin(): void {
  const silent = ["gone", "not-found", "elsewhere", "returned", "lost", "trouble", "expired", "foreign"];
  if (document.body.dataset.host && !silent.includes(pageName())) tell({ type, event: "loaded" });
  drawn();
  addEventListener("message", (event) => {
    if (event.source !== host() || !event.source || event.origin !== origin() || !event.origin) return;
    const data: unknown = event.data;
    if (typeof data !== "object" || data === null) return;
    const said = data as { type?: unknown; event?: unknown; force?: unknown };
    if (said.type !== type || said.event !== "exit_requested") return;
    exit(said.force === true);
  });
}

// drawn tells the host what the page that was just drawn is for it. A popup
// that has told the end closes.
export function drawn(): void {
  const text = document.body.dataset.messages;
  if (!text) return;
  delete document.body.dataset.messages;
  relay(text);
}

// relay tells the host messages of the server: those of this page, or of the
// window that was at the provider for it.
export function relay(text: string): void {
  const messages = JSON.parse(text) as Message[];
  for (const message of messages) {
    if (message.event === "exit" && post.forced && message.metadata) message.metadata.type = "forced_exit";
    const told = tell(message);
    if (!told || (message.event !== "success" && message.event !== "exit")) continue;
    post.ended = true;
    for (const link of document.querySelectorAll<HTMLElement>("[data-return]")) link.hidden = true;
    if (parent === window) setTimeout(() => close(), 300); // what was told must have left
  }
}

// exit leaves as the button does, because the host wants it. A forced exit is
// told even when there is nothing left to cancel.
function exit(force: boolean): void {
  if (post.ended) return;
  post.forced = force;
  const give = () => {
    if (!force || post.ended) return;
    post.ended = true;
    tell({ type, event: "exit", metadata: { type: "forced_exit", error: null } });
  };
  const form = document.querySelector<HTMLFormElement>("form[method=post]");
  const version = form?.querySelector<HTMLInputElement>("input[name=version]");
  if (!form || !version || isBusy()) {
    give();
    return;
  }
  const fields = new FormData();
  fields.append("version", version.value);
  fields.append("action", pageName() === "error" || pageName() === "expired" ? "continue" : "cancel");
  send(form, fields, null, false, give, give);
}
