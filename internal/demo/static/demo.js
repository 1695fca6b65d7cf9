// The demo shop's script: it opens links with the SDK and shows what arrives.
(() => {
  "use strict";
  const list = document.getElementById("list");
  const headers = { "X-Demo-Script": "1" };
  let next = Number(document.body.dataset.next);

  function show(at, from, what, detail) {
    const row = document.createElement("li");
    for (const [name, text, kind] of [["time", at, ""], ["span", from, "from"], ["strong", what, ""], ["code", detail, ""]]) {
      const part = document.createElement(name);
      part.textContent = text;
      part.className = kind;
      row.append(part, " ");
    }
    list.append(row);
    document.getElementById("quiet").hidden = true;
  }

  const now = () => new Date().toTimeString().slice(0, 8);
  const message = (what, detail) => show(now(), "message to the page", what, detail ? JSON.stringify(detail) : "");

  async function listen() {
    try {
      const answer = await fetch("/demo/news?after=" + next);
      const told = await answer.json();
      next = told.next;
      for (const item of told.items) show(item.at, item.from, item.what, item.detail);
    } finally {
      setTimeout(listen, 1000);
    }
  }
  listen();

  for (const button of document.querySelectorAll("[data-mode]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      Latchkey.create({
        mode: button.dataset.mode,
        url: async () => (await (await fetch("/demo/link", { method: "POST", headers })).json()).url,
        onLoad: () => message("onLoad"),
        onSuccess: (success) => {
          message("onSuccess", success);
          refresh();
        },
        onClose: (close) => message("onClose", close),
        onInvalidSession: () => message("onInvalidSession"),
        onError: (error) => message("onError", error.message),
      }).open();
    });
  }

  // What a button of the list is about: the same one of a fresh list is focused
  // again, so that the keyboard stays where it was.
  const about = (button) => button.form.elements.connection.value + " " + (button.value || button.form.action);

  // The list of accounts as it is now; what has been told stays on the page.
  function refresh() {
    const request = new XMLHttpRequest();
    request.responseType = "document";
    request.onload = () => {
      const fresh = request.status === 200 && request.response?.getElementById("linked");
      if (!fresh) return;
      const held = document.activeElement?.closest("#linked button");
      document.getElementById("linked").replaceWith(fresh);
      if (held) [...fresh.querySelectorAll("button")].find((button) => about(button) === about(held))?.focus();
    };
    request.open("GET", "/demo");
    request.send();
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-call]")) return;
    event.preventDefault();
    const answer = await fetch(form.action, { method: "POST", headers, body: new URLSearchParams(new FormData(form, event.submitter)) });
    const said = await answer.json();
    const box = document.getElementById("answer");
    box.hidden = false;
    box.textContent = answer.ok ? said.call + "\n" + said.status + "\n" + said.body : "Refused: " + said.message;
    box.focus();
  });
})();
