import { call } from "./call";
import { over } from "./embed";
import { isBusy, send } from "./form";
import { pageName, take } from "./swap";

const lookEvery = 2000; // milliseconds, where no events come

let stream: EventSource | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

// watch waits for what happens elsewhere: a login being tried, an approval on
// another device.
export function watch(): void {
  stream?.close();
  stream = undefined;
  clearTimeout(timer);
  const events = document.body.dataset.events;
  if (!events || over()) return;
  listen(events);
  const form = document.querySelector<HTMLFormElement>("form[data-poll]");
  if (form) timer = setTimeout(() => poll(form), 1000 * Number(form.dataset.poll));
}

function listen(events: string): void {
  if (typeof EventSource === "undefined") {
    repeat();
    return;
  }
  const mine = new EventSource(events);
  let heard = false;
  stream = mine;
  mine.addEventListener("look", () => { heard = true; });
  mine.addEventListener("change", () => {
    mine.close();
    if (!isBusy()) look(true);
  });
  mine.onerror = () => {
    if (heard && mine.readyState !== EventSource.CLOSED) return; // it connects again by itself
    mine.close();
    if (stream === mine) repeat();
  };
}

// repeat looks again and again, where events don't get through.
function repeat(): void {
  if (document.querySelector("form[data-poll]")) return; // it is asked for anyway
  clearTimeout(timer);
  timer = setTimeout(() => look(true), lookEvery);
}

// poll asks whether what is waited for has happened.
function poll(form: HTMLFormElement): void {
  if (!form.isConnected || pageName() !== "wait") return;
  const fields = new FormData(form);
  fields.append("action", "poll");
  send(form, fields, null, true, watch);
}

// look draws the session as it now stands.
export function look(quietly: boolean): void {
  const events = document.body.dataset.events;
  const url = events ? events.replace("/events", "") : location.href;
  call("GET", url, null, (page) => take(page, quietly), watch);
}
