/** The part of a link's URL that the page is opened with. */
export interface Target {
  href: string;
  origin: string;
}

/**
 * check takes what should be the URL of a link, and returns where to open it for a page of ours. It throws for
 * anything that is not a plain http or https URL; http only leads to a loopback address or from a page that is http itself.
 */
export function check(given: unknown, embed: boolean, theme?: string): Target {
  let url: URL;
  try {
    url = new URL(String(given));
  } catch {
    throw new Error("Latchkey: `url` must be the `url` that POST /v2/link/init answered with");
  }
  if (!isWeb(url)) {
    throw new Error("Latchkey: `url` must be an https URL without a user name");
  }
  if (embed) {
    url.searchParams.set("embed", "true");
    url.searchParams.set("embed_origin", location.origin);
  }
  if (theme === "light" || theme === "dark" || theme === "auto") url.searchParams.set("theme", theme);
  return { href: url.href, origin: url.origin };
}

function isWeb(url: URL): boolean {
  if (url.username || url.password) return false;
  if (url.protocol === "https:") return true;
  return url.protocol === "http:" && (location.protocol === "http:" || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname));
}

/** returnable reports whether a page may be sent to the URL of a message. */
export function returnable(given: string): boolean {
  try {
    return isWeb(new URL(given));
  } catch {
    return false;
  }
}

/** The web views of apps show a page but no windows, and often no frames that keep their state. */
export function inWebView(agent: string = navigator.userAgent): boolean {
  return /\bwv\b|FBAN|FBAV|Instagram|Line\/|MicroMessenger/.test(agent) ||
    (/iPhone|iPad|iPod/.test(agent) && /AppleWebKit/.test(agent) && !/Safari\//.test(agent));
}
