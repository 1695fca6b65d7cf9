import { post, relay } from "./embed";
import { pageName } from "./swap";

// what a window tells the page that opened it.
interface Told {
  latchkey: "returned";
  messages: string;
}

let opened: Window | null = null;

// framed pages can't lead to a provider in their frame: nobody lets theirs be
// framed. They open a window of its own, in the click.
function framed(): boolean {
  return parent !== window;
}

// leave goes to the provider by itself, after a form has been sent: to press
// one more button would tell nothing new. Who comes back to the page does not
// leave again.
export function leave(): void {
  const link = document.querySelector<HTMLAnchorElement>("a[data-provider]");
  if (link && !framed()) location.assign(link.href);
}

// depart lets the link of a framed page open a window, and hears what it has
// to tell when it comes back.
export function depart(): void {
  addEventListener("click", (event) => {
    const target = event.target as Element | null;
    const link = target && target.closest ? target.closest<HTMLAnchorElement>("a[data-provider]") : null;
    if (!link || !framed()) return;
    const url = new URL(link.href);
    url.searchParams.set("window", "opened");
    opened = open(url.href, "_blank", "popup,width=520,height=720");
    if (opened) event.preventDefault();
  });
  addEventListener("message", (event) => {
    const told = event.data as Told | null;
    if (!opened || event.source !== opened || event.origin !== location.origin || post.ended) return;
    if (typeof told !== "object" || told === null || told.latchkey !== "returned") return;
    relay(String(told.messages));
  });
}

// returned closes a window that has served its purpose, once it has told the
// page that opened it.
export function returned(): void {
  if (pageName() !== "returned" || framed()) return;
  const messages = document.body.dataset.messages;
  delete document.body.dataset.messages;
  const from = opener as Window | null;
  if (from && messages) from.postMessage({ latchkey: "returned", messages }, location.origin);
  setTimeout(() => close(), 300); // what was told must have left
}
