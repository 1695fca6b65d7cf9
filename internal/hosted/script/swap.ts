import { drawn, post } from "./embed";
import { enhance } from "./field";
import { watch } from "./watch";

// parts of the document that differ from page to page.
const parts = [".sheet", "footer"];

export function pageName(body: HTMLElement = document.body): string {
  return body.dataset.page || "";
}

// named are the fields that hold who somebody is, and nothing secret.
const named = "main input[autocomplete=username]";

// typed is what such fields hold, so that nobody types it twice when only the
// password was wrong.
function typed(): [string, string][] {
  return Array.from(document.querySelectorAll<HTMLInputElement>(named), (input) => [input.name, input.value]);
}

// swap shows another page of ours in place of this one. What a connection is
// waited for with is drawn again without taking the focus from anybody's hands.
export function swap(next: Document, quietly = false): void {
  const before = pageName();
  const still = quietly && pageName(next.body) === before;
  for (const name of Object.keys(document.body.dataset)) delete document.body.dataset[name];
  for (const name of Object.keys(next.body.dataset)) document.body.dataset[name] = next.body.dataset[name];
  document.documentElement.lang = next.documentElement.lang;
  document.documentElement.dir = next.documentElement.dir;
  document.title = next.title;
  if (still) {
    const version = next.querySelector<HTMLInputElement>("input[name=version]");
    const mine = document.querySelector<HTMLInputElement>("input[name=version]");
    if (version && mine) mine.value = version.value;
  } else {
    const names = pageName(next.body) === before ? typed() : [];
    for (const part of parts) {
      const fresh = next.querySelector(part);
      const stale = document.querySelector(part);
      if (fresh && stale) stale.replaceWith(document.importNode(fresh, true));
    }
    for (const [name, value] of names) {
      const input = document.querySelector<HTMLInputElement>(named + "[name=" + name + "]");
      if (input && !input.value) input.value = value;
    }
    settle();
    enhance();
    scrollTo(0, 0);
  }
  watch();
  drawn();
}

// settle gives the focus to what was refused, else to the field to fill in,
// else to the heading, so that a screen reader says where one is.
function settle(): void {
  const heading = document.querySelector<HTMLElement>("h1");
  if (heading) heading.tabIndex = -1;
  focus(document.querySelector<HTMLElement>("#summary") || field() || heading);
}

// first gives the focus to the field to fill in, when a page has one that comes
// first. The browser's own autofocus would scroll to it, and take the app's
// domain out of sight on a small screen.
export function first(): void {
  focus(field());
}

function field(): HTMLElement | null {
  return document.querySelector<HTMLElement>("[data-focus]");
}

function focus(target: HTMLElement | null): void {
  if (target) target.focus({ preventScroll: true });
}

// take shows what an answer holds: the page, or the way to the app.
export function take(next: Document, quietly = false): void {
  const leave = next.body.dataset.leave;
  if (leave && !next.body.dataset.host) {
    if (!/^https?:/i.test(leave)) swap(next); // an app's own scheme leaves the page where it is
    location.replace(leave);
    return;
  }
  swap(next, quietly);
  if (leave) post.ended = true;
}
