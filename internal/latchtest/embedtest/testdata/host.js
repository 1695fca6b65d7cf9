// The app's page. Everything that happens is kept in window.log.
window.log = [];
window.handles = [];

function note(name) {
  return (value) => window.log.push(name + " " + JSON.stringify(value === undefined ? null : value));
}

window.start = (mode, query, more) => {
  const handle = Latchkey.create({
    url: () => fetch("/init" + (query || "")).then((answer) => answer.text()),
    mode,
    onSuccess: note("success"),
    onClose: note("close"),
    onLoad: note("load"),
    onInvalidSession: note("invalid"),
    onError: (error) => note("error")(error.message),
    onMessage: (event) => note("message")(event),
    ...more,
  });
  window.handles.push(handle);
  handle.open();
  return handle;
};

document.addEventListener("securitypolicyviolation", (event) => note("violation")(event.violatedDirective + " " + event.blockedURI));
for (const button of document.querySelectorAll("[data-mode]")) {
  button.addEventListener("click", () => window.start(button.dataset.mode, location.search));
}
