import { leave } from "./away";
import { call } from "./call";
import { take } from "./swap";

let busy = false;

export function isBusy(): boolean {
  return busy;
}

// action is where a form posts to; a button called "action" hides the property.
function action(form: HTMLFormElement): string {
  return form.getAttribute("action") || location.href;
}

// intercept sends the forms that would load a page again.
export function intercept(): void {
  addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.method !== "post" || event.defaultPrevented) return;
    event.preventDefault();
    const button = event.submitter as HTMLButtonElement | null;
    const fields = new FormData(form);
    if (button && button.name) fields.append(button.name, button.value);
    send(form, fields, button);
  });
}

// send posts a form once, however often it is asked to.
export function send(form: HTMLFormElement, fields: FormData, button: HTMLElement | null, quietly = false, failed?: () => void, then?: () => void): void {
  if (busy) return;
  busy = true;
  const body = new URLSearchParams();
  fields.forEach((value, name) => body.append(name, String(value)));
  if (!quietly) wait(button);
  call("POST", action(form), body.toString(), (page, url) => {
    busy = false;
    rest();
    rename(url);
    take(page, quietly);
    leave();
    if (then) then();
  }, () => {
    busy = false;
    rest();
    if (failed) failed();
    else if (!quietly) complain(form);
  });
}

// rename shows the address of the new page, for who loads it again. There are
// web views that don't let a page do that.
function rename(url: string): void {
  try {
    if (new URL(url).origin === location.origin) history.replaceState(null, "", url);
  } catch {
    // The address stays that of the first page, which draws whatever is now.
  }
}

function say(text: string): void {
  const live = document.getElementById("live");
  if (live) live.textContent = text;
}

function wait(button: HTMLElement | null): void {
  document.body.setAttribute("aria-busy", "true");
  if (button) button.setAttribute("data-pressed", "");
  say(document.body.dataset.sending || "");
}

function rest(): void {
  document.body.removeAttribute("aria-busy");
  for (const button of document.querySelectorAll("[data-pressed]")) button.removeAttribute("data-pressed");
  for (const alert of document.querySelectorAll("[data-complaint]")) alert.remove();
  say("");
}

// complain says that there is no connection. What was typed is still there.
function complain(form: HTMLFormElement): void {
  const alert = document.createElement("p");
  alert.className = "alert";
  alert.setAttribute("role", "alert");
  alert.setAttribute("data-complaint", "");
  alert.textContent = document.body.dataset.offline || "";
  form.before(alert);
}
