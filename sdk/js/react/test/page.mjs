// A page of an app, for a test in a browser. What the link tells it is kept in
// `told`; the parts are worked from outside through their ids.
import { LatchkeyButton, useLatchkeyLink } from "@latchkey/react";
import { createElement as h, StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

const url = new URLSearchParams(location.search).get("link");
const told = (globalThis.told = []);

function Shop() {
  const [round, setRound] = useState(1);
  const { open, close, ready } = useLatchkeyLink({
    url: async () => url,
    mode: "iframe",
    onLoad: () => told.push(`load ${round}`),
    onSuccess: (success) => told.push(`success ${round} ${success.connection.id}`),
    onClose: (end) => told.push(`close ${round} ${end.type}`),
  });
  return h("section", null,
    h("output", { id: "ready" }, String(ready)),
    h("button", { id: "open", onClick: open }, "Open"),
    h("button", { id: "close", onClick: close }, "Close"),
    h("button", { id: "next", onClick: () => setRound(round + 1) }, `Round ${round}`));
}

function Page() {
  const [there, setThere] = useState(true);
  const link = {
    url,
    mode: "iframe",
    onLoad: () => told.push("load button"),
    onClose: (end) => told.push(`close button ${end.type}`),
    onInvalidSession: () => told.push("invalid button"),
  };
  return h("main", null,
    there && h(Shop),
    there && h(LatchkeyButton, { id: "button", className: "primary", link }, "Link an account"),
    h("button", { id: "leave", onClick: () => setThere(false) }, "Leave"));
}

createRoot(document.getElementById("root")).render(h(StrictMode, null, h(Page)));
