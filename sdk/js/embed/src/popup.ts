import type { Surface } from "./surface.js";

const watch = 300; // milliseconds between two looks whether the window is still there

/** popup opens an empty window at once, as browsers allow only inside a click. It returns null where they don't. */
export function popup(gone: () => void): Surface | null {
  const width = 480;
  const height = 720;
  const left = Math.max(0, screenX + (outerWidth - width) / 2);
  const top = Math.max(0, screenY + (outerHeight - height) / 3);
  const opened = open("about:blank", "_blank", `popup,width=${width},height=${height},left=${Math.round(left)},top=${Math.round(top)}`);
  if (!opened) return null;
  let removed = false;
  const timer = setInterval(() => {
    if (!opened.closed) return;
    clearInterval(timer);
    if (!removed) gone();
  }, watch);
  return {
    window: () => opened,
    go: (href) => {
      opened.location.replace(href);
    },
    loaded: () => opened.focus(),
    remove: () => {
      removed = true;
      clearInterval(timer);
      opened.close();
    },
  };
}
