// How long an answer may take, in milliseconds: a login is tried meanwhile.
const patience = 90_000;

// call asks our server for a page. Redirects are followed by the browser; the
// document is parsed without running anything in it.
export function call(method: "GET" | "POST", url: string, body: string | null, done: (page: Document, url: string) => void, failed: () => void): void {
  const request = new XMLHttpRequest();
  request.open(method, url);
  request.responseType = "document";
  request.timeout = patience;
  request.setRequestHeader("X-Latchkey-Script", "1");
  if (body !== null) request.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
  request.onload = () => {
    const page = request.response as Document | null;
    if (page && page.body && page.body.dataset.page) done(page, request.responseURL);
    else failed();
  };
  request.onerror = request.ontimeout = request.onabort = failed;
  request.send(body);
}
