/** Where this page lives: the server writes <base href>, so that the app works under any path prefix. */

/** `https://host/review/` and `https://host/review/projects` → `/review`; the root → `/`. */
export function basePath(baseUri: string): string {
  const path = new URL(".", baseUri).pathname.replace(/\/+$/, "");
  return path === "" ? "/" : path;
}

/** The address that the typed client puts before `/api/v1/...`: `https://host/review`, without a slash at the end. */
export function apiRoot(baseUri: string): string {
  return new URL(".", baseUri).href.replace(/\/+$/, "");
}

const HERE = "http://here.invalid";

/** The page to go back to after sign-in: only a path of this app, never another host. */
export function safeNext(next: unknown): string {
  if (typeof next !== "string" || !next.startsWith("/") || !URL.canParse(next, HERE)) return "/";
  const { origin, pathname } = new URL(next, HERE); // reads the address as a browser would, with its tricks
  return origin !== HERE || /^\/(sign-in|setup)\b/.test(pathname) ? "/" : pathname;
}
