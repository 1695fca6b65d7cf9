// What a page might say that is not the link's.
window.forgeries = () => {
  const type = "OFAUTH_LINK";
  const urls = ["javascript:alert(1)", "data:text/html,x", "https://evil.example/", "//evil.example", "file:///etc/passwd", "blob:x", "vbscript:x", "/back"];
  const list = [{ type, event: "loaded" }, { type, event: "invalid_session" }, { type, event: "sandbox_info", metadata: {} }];
  for (const successUrl of urls) {
    for (const redirect of [true, false, "true"]) {
      list.push({ type, event: "success", metadata: { successUrl, redirect, connection: { id: "conn_forged", userData: null }, user: null } });
    }
  }
  for (const why of ["user_exit", "error", "forced_exit"]) {
    list.push({ type, event: "exit", metadata: { type: why, error: { error_type: "x", error_message: "y" } } });
  }
  return list;
};

// What is no message, whoever says it.
window.malformed = () => {
  const type = "OFAUTH_LINK";
  const polluting = JSON.parse('{"__proto__":{"polluted":true,"type":"OFAUTH_LINK","event":"success"},"constructor":{"prototype":{"polluted":true}}}');
  const inherited = Object.create({ type, event: "success", metadata: { successUrl: "https://evil.example/" } });
  return [
    null, undefined, 0, 1, "", "success", type, [], [type, "success"], {}, { type }, { event: "success" }, { type: [type], event: "success" },
    { type: "ofauth_link", event: "success" }, { type: type + " ", event: "success" }, { type, event: ["success"] }, { type, event: null },
    { type, event: "success" }, { type, event: "success", metadata: null }, { type, event: "success", metadata: { successUrl: 1 } },
    { type, event: "success", metadata: { connection: { id: {} } } }, polluting, inherited, { type: { toString: () => type }, event: "loaded" },
    new Map([["type", type]]), new Date(), "x".repeat(1000000), JSON.stringify({ type, event: "success" }),
  ];
};

window.forge = (target) => {
  for (const message of window.forgeries()) target.postMessage(message, "/");
  return window.forgeries().length;
};
