import { create } from "./link.js";
import type { Handle, Mode, Options } from "./options.js";

/** options reads a link from the attributes of an element, which is told what happens by events of the given prefix. */
function options(element: HTMLElement, url: string, attribute: (name: string) => string | null, prefix: string): Options {
  const tell = (name: string, detail?: unknown): void => {
    element.dispatchEvent(new CustomEvent(prefix + name, { bubbles: true, composed: true, detail }));
  };
  return {
    url,
    mode: (attribute("mode") as Mode | null) || "auto",
    theme: (attribute("theme") as Options["theme"]) || undefined,
    onSuccess: (success) => tell("success", success),
    onClose: (close) => tell("close", close),
    onLoad: () => tell("load"),
    onInvalidSession: () => tell("invalidsession"),
  };
}

/** define makes `<latchkey-link url="…">…</latchkey-link>` known, once. */
export function define(): void {
  if (typeof customElements === "undefined" || customElements.get("latchkey-link")) return;
  customElements.define("latchkey-link", class extends HTMLElement {
    private handle: Handle | undefined;

    connectedCallback(): void {
      if (!this.querySelector("button,a")) { // it is a button itself
        if (!this.hasAttribute("role")) this.setAttribute("role", "button");
        if (!this.hasAttribute("tabindex")) this.tabIndex = 0;
      }
      this.addEventListener("click", this.open);
      this.addEventListener("keydown", this.press);
    }

    disconnectedCallback(): void {
      this.removeEventListener("click", this.open);
      this.removeEventListener("keydown", this.press);
      this.handle?.destroy();
    }

    private readonly press = (event: KeyboardEvent): void => {
      if (event.target !== this || (event.key !== "Enter" && event.key !== " ")) return;
      event.preventDefault();
      this.open(event);
    };

    private readonly open = (event: Event): void => {
      event.preventDefault();
      this.handle?.destroy();
      this.handle = create(options(this, this.getAttribute("url") || "", (name) => this.getAttribute(name), ""));
      this.handle.open();
    };
  });
}

/** attend opens the links of elements with `data-latchkey-link`. Without a script an `<a>` leads there by itself. */
export function attend(): void {
  const handles = new WeakMap<Element, Handle>();
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const element = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-latchkey-link]") : null;
    if (!element) return;
    const url = element.dataset.latchkeyLink || element.getAttribute("href") || "";
    event.preventDefault();
    handles.get(element)?.destroy();
    const handle = create(options(element, url, (name) => element.getAttribute("data-latchkey-" + name), "latchkey:"));
    handles.set(element, handle);
    handle.open();
  });
}
