import type { Labels } from "./options.js";
import type { Surface } from "./surface.js";

const patience = 10_000; // milliseconds until the dialog says that the page does not come

const sheet = `
dialog{box-sizing:border-box;inline-size:min(30rem,100vw);block-size:min(46rem,100dvh);max-inline-size:none;max-block-size:none;margin:auto;padding:0;border:0;border-radius:1.25rem;overflow:hidden;background:#fff;color:#17211f;color-scheme:light dark;box-shadow:0 1.5rem 4rem -1rem #0008;font:16px/1.5 system-ui,sans-serif}
dialog::backdrop{background:#0b1211a6}
iframe{display:block;inline-size:100%;block-size:100%;border:0;background:transparent}
.close{position:absolute;inset-block-start:.5rem;inset-inline-end:.5rem;inline-size:2.75rem;block-size:2.75rem;border:0;border-radius:50%;background:transparent;color:inherit;font:inherit;font-size:1.5rem;line-height:1;cursor:pointer}
.close:hover{background:#7f8f8b33}
.close:focus-visible,.problem button:focus-visible{outline:3px solid #0f7f7a;outline-offset:-3px}
.wait{position:absolute;inset:0;display:grid;place-items:center;pointer-events:none}
.wait i{inline-size:2.5rem;block-size:2.5rem;border:.25rem solid #7f8f8b55;border-block-start-color:#0f7f7a;border-radius:50%}
.problem{position:absolute;inset:0;display:grid;place-content:center;gap:1rem;padding:2rem;background:inherit;text-align:center}
.problem button{min-block-size:3rem;padding:.75rem 1.25rem;border:0;border-radius:.75rem;background:#0f5c5c;color:#fff;font:inherit;font-weight:600;cursor:pointer}
[hidden]{display:none!important}
@media (max-width:32rem){dialog{inline-size:100vw;block-size:100dvh;border-radius:0}}
@media (prefers-color-scheme:dark){dialog:not(.light){background:#171f1e;color:#e9f0ee}}
dialog.dark{background:#171f1e;color:#e9f0ee}
@media (prefers-reduced-motion:no-preference){
dialog[open]{animation:rise .18s ease-out}
.wait i{animation:turn 1s linear infinite}
@keyframes rise{from{opacity:0;transform:translateY(.75rem)}}
@keyframes turn{to{transform:rotate(1turn)}}}
`;

let open = 0; // dialogs of this page; the last one that closes lets it scroll again
let overflow = "";

function lock(): void {
  if (open++ > 0) return;
  overflow = document.documentElement.style.overflow;
  document.documentElement.style.overflow = "hidden";
}

function unlock(): void {
  if (--open === 0) document.documentElement.style.overflow = overflow;
}

function element<K extends keyof HTMLElementTagNameMap>(name: K, className: string, words = ""): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = words;
  return made;
}

/** frame shows the page in a dialog, which keeps the focus and gives it back. */
export function frame(labels: Labels, theme: string | undefined, leave: () => void, elsewhere: () => void): Surface {
  const host = document.createElement("div");
  const root = host.attachShadow({ mode: "open" });
  if (root.adoptedStyleSheets) { // needs no permission of the host's policy, as an inline style does
    const style = new CSSStyleSheet();
    style.replaceSync(sheet);
    root.adoptedStyleSheets = [style];
  } else { // Safari before 16.4
    root.append(element("style", "", sheet));
  }
  const dialog = element("dialog", theme === "dark" || theme === "light" ? theme : "");
  dialog.setAttribute("aria-label", labels.dialog);
  const page = element("iframe", "");
  page.title = labels.dialog;
  page.referrerPolicy = "no-referrer";
  page.allow = "publickey-credentials-get";
  const wait = element("div", "wait");
  wait.append(element("i", ""));
  const problem = element("div", "problem");
  problem.hidden = true;
  problem.setAttribute("role", "alert");
  const button = element("button", "", labels.newWindow);
  button.type = "button";
  button.onclick = elsewhere;
  problem.append(element("p", "", labels.problem), button);
  const close = element("button", "close", "×");
  close.type = "button";
  close.setAttribute("aria-label", labels.close);
  close.onclick = leave;
  dialog.append(page, wait, problem, close);
  root.append(dialog);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    leave();
  });
  document.body.append(host);
  lock();
  dialog.showModal();
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    window: () => page.contentWindow,
    go: (href) => {
      page.src = href;
      timer = setTimeout(() => {
        wait.hidden = true;
        problem.hidden = false;
        button.focus();
      }, patience);
    },
    loaded: () => {
      clearTimeout(timer);
      wait.hidden = true;
      problem.hidden = true;
      page.focus();
    },
    remove: () => {
      clearTimeout(timer);
      if (!host.isConnected) return;
      dialog.close(); // gives the focus back
      host.remove();
      unlock();
    },
  };
}
