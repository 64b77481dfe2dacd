/** What went wrong, in the words of the server (problem+json), and the same shape when there is no server. */

export interface Problem {
  readonly status: number; // 0 when the server did not answer
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly hint: string;
}

export class ApiError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail === "" ? problem.title : problem.detail);
    this.name = "ApiError";
    this.problem = problem;
  }
}

/** The server cannot be reached: the network, a stopped server, a proxy that closed. */
export const UNREACHABLE: Problem = {
  status: 0,
  code: "server.unreachable",
  title: "The server did not answer",
  detail: "Nothing you stored is lost. What you entered here is kept on this page.",
  hint: "Check that the server runs, then try again.",
};

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads an error body of the API; every part may be missing. */
export function readProblem(status: number, body: unknown): Problem {
  const found = isRecord(body) ? body : {};
  const title = text(found.title);
  const detail = text(found.detail);
  return {
    status,
    code: text(found.code) || `http.${status}`,
    title: title || `The server answered with status ${status}`,
    detail,
    hint: text(found.hint),
  };
}

/** Any thrown value as a problem: an ApiError keeps its own, anything else is a defect of this page and says so. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  const detail = error instanceof Error ? error.message : "";
  return {
    status: -1,
    code: "ui.unexpected",
    title: "This page met something it does not know",
    detail,
    hint: "Load the page again.",
  };
}

/** The one sentence to read first. The detail carries it when the title only names the kind of error. */
export function headline({ title, detail }: Problem): { readonly head: string; readonly rest: string } {
  return detail !== "" && detail.length <= 120 ? { head: detail, rest: "" } : { head: title, rest: detail };
}
