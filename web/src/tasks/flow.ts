/** The life of one task page: claim, show, store, go on. A pure reducer; what it cannot do in a phase it ignores. */

import type { Answered, Task } from "../api/contract";
import type { Problem } from "../api/problem";

export interface Sending {
  readonly key: string; // the idempotency key of this answer; a second try keeps it
  readonly given: Answered;
  readonly said: string; // the answer in words, for the note on the next page
}

interface Shown {
  readonly task: Task;
  readonly shownAt: string; // ISO time at which the item was first on screen
}

export type Flow =
  | { readonly phase: "claiming"; readonly sending: Sending | null }
  | { readonly phase: "unclaimed"; readonly problem: Problem; readonly sending: Sending | null }
  | ({ readonly phase: "ready" } & Shown)
  | ({ readonly phase: "storing"; readonly sending: Sending } & Shown)
  | ({ readonly phase: "unsent"; readonly sending: Sending; readonly problem: Problem } & Shown)
  | ({ readonly phase: "returning" } & Shown)
  | ({ readonly phase: "unreturned"; readonly problem: Problem } & Shown)
  | { readonly phase: "stored"; readonly task: Task; readonly sending: Sending; readonly next: string | null }
  | { readonly phase: "returned" };

export type FlowEvent =
  | { readonly happened: "claimed"; readonly task: Task; readonly at: string }
  | { readonly happened: "claim refused"; readonly problem: Problem }
  | { readonly happened: "answered"; readonly sending: Sending }
  | { readonly happened: "stored"; readonly next: string | null }
  | { readonly happened: "own answer stored"; readonly task: Task; readonly at: string }
  | { readonly happened: "not stored"; readonly problem: Problem }
  | { readonly happened: "asked again" }
  | { readonly happened: "asked to claim again" }
  | { readonly happened: "asked to return" }
  | { readonly happened: "returned" }
  | { readonly happened: "not returned"; readonly problem: Problem };

export const START: Flow = { phase: "claiming", sending: null };

function afterClaim(flow: Flow, event: FlowEvent): Flow {
  if (flow.phase === "claiming") {
    if (event.happened === "claim refused")
      return { phase: "unclaimed", problem: event.problem, sending: flow.sending };
    if (event.happened !== "claimed") return flow;
    const shown = { task: event.task, shownAt: event.at };
    // An answer that was given before the claim ended is sent with the new claim, never lost.
    return flow.sending === null ? { phase: "ready", ...shown } : { phase: "storing", sending: flow.sending, ...shown };
  }
  return event.happened === "asked to claim again" && flow.phase === "unclaimed"
    ? { phase: "claiming", sending: flow.sending }
    : flow;
}

function afterStoring(flow: Flow & { readonly phase: "storing" }, event: FlowEvent): Flow {
  const { task, shownAt, sending } = flow;
  if (event.happened === "stored") return { phase: "stored", task, sending, next: event.next };
  // Now the AI answer is shown: the page is ready again, for the final answer.
  if (event.happened === "own answer stored") return { phase: "ready", task: event.task, shownAt: event.at };
  if (event.happened === "not stored") return { phase: "unsent", task, shownAt, sending, problem: event.problem };
  return flow;
}

function onPage(flow: Flow & Shown, event: FlowEvent): Flow {
  const { task, shownAt } = flow;
  switch (event.happened) {
    case "answered":
      return { phase: "storing", task, shownAt, sending: event.sending };
    case "asked to return":
      return { phase: "returning", task, shownAt };
    case "asked again":
      return flow.phase === "unsent" ? { phase: "storing", task, shownAt, sending: flow.sending } : flow;
    case "asked to claim again":
      return flow.phase === "unsent" ? { phase: "claiming", sending: flow.sending } : flow;
    default:
      return flow;
  }
}

export function advance(flow: Flow, event: FlowEvent): Flow {
  switch (flow.phase) {
    case "claiming":
    case "unclaimed":
      return afterClaim(flow, event);
    case "storing":
      return afterStoring(flow, event);
    case "ready":
    case "unsent":
    case "unreturned":
      return onPage(flow, event);
    case "returning":
      if (event.happened === "returned") return { phase: "returned" };
      return event.happened === "not returned"
        ? { phase: "unreturned", task: flow.task, shownAt: flow.shownAt, problem: event.problem }
        : flow;
    case "stored":
    case "returned":
      return flow;
  }
}

/** True when what is sent is the reviewer's own answer, before the AI answer is shown; who cannot say passes it on. */
export function isFirst(task: Task, { given }: Sending): boolean {
  return task.first_needed && given.value !== null;
}

/** True while the page can take an answer. */
export function open(flow: Flow): flow is Flow & Shown {
  return flow.phase === "ready" || flow.phase === "unsent" || flow.phase === "unreturned";
}

export type Remedy = "send again" | "claim again" | "next task" | "change";

/** What helps after an answer was not stored. Codes are those of the tasks stage. */
export function remedy({ status, code }: Problem): Remedy {
  if (status === 0 || status === 429 || status >= 500) return "send again";
  if (code === "tasks.claim_over") return "claim again";
  return status === 409 || status === 404 ? "next task" : "change";
}
