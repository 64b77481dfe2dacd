import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useReducer, useRef } from "react";
import * as api from "../api/client";
import type { Task } from "../api/contract";
import { toProblem } from "../api/problem";
import { uuid } from "../api/token";
import { answered, type Given, saidInWords } from "./answer";
import { advance, type Flow, type FlowEvent, isFirst, open, START } from "./flow";

interface TaskAtHand {
  readonly flow: Flow;
  readonly give: (given: Given, reason: string) => void;
  readonly tell: (event: FlowEvent) => void;
}

function requestFor(flow: Flow, project: string, id: string): Promise<FlowEvent> | null {
  switch (flow.phase) {
    case "claiming":
      return api.claim(project, id).then(
        (task) => ({ happened: "claimed", task, at: new Date().toISOString() }),
        (error: unknown) => ({ happened: "claim refused", problem: toProblem(error) }),
      );
    case "storing":
      if (isFirst(flow.task, flow.sending))
        return api.first(project, id, flow.sending.given, flow.sending.key).then(
          (task) => ({ happened: "own answer stored", task, at: new Date().toISOString() }),
          (error: unknown) => ({ happened: "not stored", problem: toProblem(error) }),
        );
      return api.answer(project, id, flow.sending.given, flow.sending.key).then(
        (stored) => ({ happened: "stored", next: stored.next_task_id }),
        (error: unknown) => ({ happened: "not stored", problem: toProblem(error) }),
      );
    case "returning":
      return api.release(project, id).then(
        () => ({ happened: "returned" }),
        (error: unknown) => ({ happened: "not returned", problem: toProblem(error) }),
      );
    default:
      return null;
  }
}

/** Nobody waits for the reply: when it fails, the lease ends by itself. */
function giveBack(project: string, id: string): void {
  void api.release(project, id).catch(() => undefined);
}

/** Runs the flow of one task: sends what each phase asks for, and gives the task back when the page is left unanswered. */
export function useTask(project: string, id: string): TaskAtHand {
  const [flow, tell] = useReducer(advance, START);
  const queries = useQueryClient();
  const latest = useRef(flow);
  useEffect(() => {
    latest.current = flow;
  });

  useEffect(() => {
    let left = false;
    void requestFor(flow, project, id)?.then((event) => {
      if (!left) tell(event);
      else if (event.happened === "claimed") giveBack(project, id);
    });
    return () => {
      left = true;
    };
  }, [flow, project, id]);

  useEffect(() => {
    if (flow.phase !== "stored" && flow.phase !== "returned") return;
    queries.removeQueries({ queryKey: ["tasks", project] }); // the list starts anew: what was answered here is no news
    void queries.invalidateQueries({ queryKey: ["loop", project] });
  }, [flow.phase, queries, project]);

  useEffect(
    () => () => {
      if (open(latest.current)) giveBack(project, id);
    },
    [project, id],
  );

  const give = (given: Given, reason: string): void => {
    if (!open(flow)) return;
    const task: Task = flow.task;
    const sending = { key: uuid(), given: answered(task, given, reason, flow.shownAt), said: saidInWords(task, given) };
    tell({ happened: "answered", sending });
  };
  return { flow, give, tell };
}
