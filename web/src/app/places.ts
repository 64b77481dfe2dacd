/** The pages that exist. An address of the API that names no page here becomes plain text, never a dead link. */

export type Page = "loop" | "tasks" | "journal";

const PAGES: readonly Page[] = ["loop", "tasks", "journal"];

export interface Place {
  readonly project: string;
  readonly page: Page;
}

/** Reads `projects/P/tasks`, `/projects/P/tasks?x` or `tasks` as a page of this app; null for anything else. */
export function placeOf(href: string, project: string): Place | null {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(href)) return null;
  const parts = (href.split(/[?#]/)[0] ?? "").split("/").filter((part) => part !== "" && part !== ".");
  const [first, second, third] = parts;
  const named =
    first === "projects"
      ? { project: second ?? "", page: third ?? "loop", extra: parts.length > 3 }
      : { project, page: first, extra: parts.length > 1 };
  const page = PAGES.find((known) => known === named.page);
  if (
    page === undefined ||
    named.extra ||
    !/^[\w.%~-]+$/.test(named.project) ||
    /%(?![0-9a-f]{2})/i.test(named.project)
  )
    return null;
  return { project: decodeURIComponent(named.project), page };
}
