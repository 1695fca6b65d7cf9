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
          setTimeout(() => location.reload(), 1500); // the list of accounts, once the webhook is here too
        },
        onClose: (close) => message("onClose", close),
        onInvalidSession: () => message("onInvalidSession"),
        onError: (error) => message("onError", error.message),
      }).open();
    });
  }

  for (const form of document.querySelectorAll("form[data-call]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const answer = await fetch(form.action, { method: "POST", headers, body: new URLSearchParams(new FormData(form)) });
      const said = await answer.json();
      const box = document.getElementById("answer");
      box.hidden = false;
      box.textContent = said.call + "\n" + said.status + "\n" + said.body;
      box.focus();
    });
  }
})();
