import { frame } from "./frame.js";
import { leave, read } from "./message.js";
import type { Close, Handle, Labels, Options } from "./options.js";
import { popup } from "./popup.js";
import type { Surface } from "./surface.js";
import { check, inWebView, returnable, type Target } from "./url.js";

const grace = 2000; // milliseconds a page has to leave by itself when it is asked to

const words: Labels = {
  dialog: "Link your account",
  close: "Close",
  problem: "This page does not come up here.",
  newWindow: "Open it in a new window",
};

/** create prepares a link. Nothing happens until it is opened. */
export function create(options: Options): Handle {
  if (!options || !options.url) throw new Error("Latchkey: create() needs a `url`");
  let surface: Surface | null = null;
  let target: Target | undefined;
  let heard = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0; // counts openings, so that what comes late for an old one is dropped

  const end = (): void => {
    clearTimeout(timer);
    removeEventListener("message", hear);
    const old = surface;
    surface = null;
    target = undefined;
    turn++;
    old?.remove();
  };

  const closed = (close: Close): void => {
    if (!surface) return;
    end();
    options.onClose?.(close);
  };

  const hear = (event: MessageEvent): void => {
    if (!surface || !target || event.source === null || event.source !== surface.window() || event.origin !== target.origin) return;
    const message = read(event.data);
    if (!message) return;
    options.onMessage?.(message.event === "other" ? message.name : message.event, "metadata" in message ? message.metadata : undefined);
    switch (message.event) {
      case "loaded":
        surface?.loaded();
        if (!heard) {
          heard = true;
          options.onLoad?.();
        }
        return;
      case "invalid_session":
        end();
        options.onInvalidSession?.();
        return;
      case "success":
        end();
        options.onSuccess?.(message.success);
        if (message.redirect && returnable(message.success.successUrl)) location.assign(message.success.successUrl);
        return;
      case "exit":
        closed(message.close);
    }
  };

  const fail = (error: unknown): void => {
    const told = error instanceof Error ? error : new Error(String(error));
    if (surface) end();
    if (options.onError) options.onError(told);
    else if (typeof options.url === "string") throw told;
    else console.error(told);
  };

  const gone = (): void => closed({ type: heard ? "user_exit" : "unknown", error: null });

  const show = (mode: "iframe" | "popup"): void => {
    heard = false;
    if (mode === "popup") surface = popup(gone);
    surface ||= frame({ ...words, ...options.labels }, options.theme, handle.close, () => {
      const href = target?.href;
      const fresh = popup(gone);
      if (!fresh || !href) return;
      surface?.remove();
      surface = fresh;
      fresh.go(href);
    });
    addEventListener("message", hear);
  };

  const go = (url: unknown, mine: number): void => {
    if (mine !== turn || !surface) return; // it was closed meanwhile
    try {
      target = check(url, true, options.theme);
      surface.go(target.href);
    } catch (error) {
      fail(error);
    }
  };

  const handle: Handle = {
    open: () => {
      if (surface) {
        surface.window()?.focus();
        return;
      }
      let mode = options.mode || "auto";
      if (mode === "auto") mode = inWebView() || typeof HTMLDialogElement === "undefined" ? "redirect" : "iframe";
      const mine = ++turn;
      let url: string | Promise<string>;
      try {
        if (typeof options.url === "string") check(options.url, false); // before anything opens
        if (mode !== "redirect") show(mode);
        url = typeof options.url === "function" ? options.url() : options.url;
      } catch (error) {
        fail(error);
        return;
      }
      if (mode === "redirect") {
        const leaveFor = (href: string): void => location.assign(check(href, false, options.theme).href);
        if (typeof url === "string") leaveFor(url);
        else url.then(leaveFor).catch(fail);
      } else if (typeof url === "string") {
        go(url, mine);
      } else {
        url.then((href) => go(href, mine)).catch((error) => mine === turn && fail(error));
      }
    },
    close: () => {
      if (!surface) return;
      if (!heard || !target) {
        closed({ type: "user_exit", error: null });
        return;
      }
      surface.window()?.postMessage(leave(false), target.origin);
      clearTimeout(timer);
      timer = setTimeout(() => closed({ type: "user_exit", error: null }), grace);
    },
    destroy: () => {
      if (!surface) return;
      if (target) surface.window()?.postMessage(leave(true), target.origin);
      end();
    },
  };
  return handle;
}
