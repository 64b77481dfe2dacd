import { describe, expect, it } from "vitest";
import type { Task } from "../api/contract";
import { readProblem, UNREACHABLE } from "../api/problem";
import { answered, approvable, formOf, saidInWords, sawPrediction, takes, titleOf, typedValue } from "./answer";
import { advance, type Flow, type FlowEvent, isFirst, open, remedy, type Sending, START } from "./flow";

const task: Task = {
  id: "t-1",
  kind: "review",
  question: {
    name: "diagnosis",
    title: "Which diagnosis?",
    type: "choice",
    options: [
      { value: "B", title: "Benign" },
      { value: "M", title: "Malignant" },
    ],
  },
  item: { id: "i-1", name: "case-117", fields: [] },
  prediction: { value: "M", score: 0.72, words: "", top: [] },
  blind: false,
  reason: "the score is under the threshold",
  payload: {},
  claim_until: null,
  guideline: null,
  first_needed: false,
  own_answer: null,
};
const at = "2026-11-05T09:42:00Z";
const sending: Sending = {
  key: "k-1",
  given: { value: "M", verb: "approve", reason: "", shown_at: at },
  said: "Malignant",
};
const problem = readProblem(409, { title: "Conflict", code: "tasks.claim_over" });
const play = (...events: FlowEvent[]): Flow => events.reduce(advance, START);
const claimed: FlowEvent = { happened: "claimed", task, at };
const send: FlowEvent = { happened: "answered", sending };

describe("a blind-first task", () => {
  const sealed: Task = { ...task, prediction: null, first_needed: true };
  const opened: Task = { ...task, own_answer: "B" };
  const own: Sending = { ...sending, given: { value: "B", verb: "label", reason: "", shown_at: at } };

  it("stores the reviewer's own answer, then shows the AI answer and asks again", () => {
    expect(isFirst(sealed, own)).toBe(true);
    const flow = play(
      { happened: "claimed", task: sealed, at },
      { happened: "answered", sending: own },
      { happened: "own answer stored", task: opened, at: "2026-11-05T09:43:00Z" },
    );
    expect(flow).toEqual({ phase: "ready", task: opened, shownAt: "2026-11-05T09:43:00Z" });
    expect(isFirst(opened, own)).toBe(false);
  });

  it("lets who cannot say pass it on", () => {
    expect(isFirst(sealed, { ...own, given: { ...own.given, value: null, verb: "abstain" } })).toBe(false);
  });
});

describe("task flow", () => {
  it("claims, shows, stores and goes to the next task", () => {
    expect(START.phase).toBe("claiming");
    expect(play(claimed).phase).toBe("ready");
    expect(play(claimed, send).phase).toBe("storing");
    const stored = play(claimed, send, { happened: "stored", next: "t-2" });
    expect(stored).toMatchObject({ phase: "stored", next: "t-2" });
  });
  it("stores a double press once", () => {
    const other: FlowEvent = { happened: "answered", sending: { ...sending, key: "k-2" } };
    expect(play(claimed, send, other)).toMatchObject({ phase: "storing", sending: { key: "k-1" } });
  });
  it("takes no answer before the claim and none after it was stored", () => {
    expect(play(send)).toBe(START);
    expect(play(claimed, send, { happened: "stored", next: null }, send).phase).toBe("stored");
  });
  it("keeps an answer that could not be stored and sends it again under the same key", () => {
    const failed = play(claimed, send, { happened: "not stored", problem });
    expect(failed).toMatchObject({ phase: "unsent", sending: { key: "k-1" }, problem });
    expect(advance(failed, { happened: "asked again" })).toMatchObject({ phase: "storing", sending: { key: "k-1" } });
  });
  it("sends the kept answer when an ended claim is taken again", () => {
    const again = play(claimed, send, { happened: "not stored", problem }, { happened: "asked to claim again" });
    expect(again).toEqual({ phase: "claiming", sending });
    expect(advance(again, claimed)).toMatchObject({ phase: "storing", sending });
    expect(advance(again, { happened: "claim refused", problem })).toMatchObject({ phase: "unclaimed", sending });
  });
  it("lets another answer replace one that could not be stored", () => {
    const other: FlowEvent = { happened: "answered", sending: { ...sending, key: "k-2" } };
    expect(play(claimed, send, { happened: "not stored", problem }, other)).toMatchObject({
      phase: "storing",
      sending: { key: "k-2" },
    });
  });
  it("says why a claim was refused and tries again when asked", () => {
    const refused = play({ happened: "claim refused", problem });
    expect(refused).toMatchObject({ phase: "unclaimed", problem });
    expect(advance(refused, { happened: "asked to claim again" })).toEqual(START);
  });
  it("returns a task, and stays when that fails", () => {
    expect(play(claimed, { happened: "asked to return" }, { happened: "returned" }).phase).toBe("returned");
    const stays = play(claimed, { happened: "asked to return" }, { happened: "not returned", problem });
    expect(stays.phase).toBe("unreturned");
    expect(open(stays)).toBe(true);
    expect(advance(stays, send).phase).toBe("storing");
  });
  it("knows what helps when an answer was not stored", () => {
    expect(remedy(problem)).toBe("claim again");
    expect(remedy(readProblem(409, { code: "tasks.claimed_by_other" }))).toBe("next task");
    expect(remedy(readProblem(409, { code: "tasks.already_answered" }))).toBe("next task");
    expect(remedy(readProblem(503, { code: "storage.busy" }))).toBe("send again");
    expect(remedy(UNREACHABLE)).toBe("send again");
    expect(remedy(readProblem(422, { code: "tasks.invalid" }))).toBe("change");
  });
});

describe("answer", () => {
  const benign = { does: "value", value: "B" } as const;
  const malignant = { does: "value", value: "M" } as const;
  it("approves by choosing what the AI said and corrects by choosing something else", () => {
    expect(answered(task, malignant, "", at)).toMatchObject({ value: "M", verb: "approve" });
    expect(answered(task, benign, "", at)).toMatchObject({ value: "B", verb: "correct" });
    expect(answered(task, { does: "approve" }, "", at)).toMatchObject({ value: "M", verb: "approve" });
  });
  it("labels when nothing was shown", () => {
    const blind = { ...task, blind: true, prediction: null };
    expect(sawPrediction(blind)).toBe(false);
    expect(approvable(blind)).toBe(false);
    // a label task takes no verdict, even when a suggestion is shown with it
    expect(answered({ ...task, kind: "label" }, malignant, "", at).verb).toBe("label");
    expect(answered(blind, malignant, "", at)).toMatchObject({ value: "M", verb: "label" });
  });
  it("sends no value with escalate and abstain", () => {
    expect(answered(task, { does: "escalate" }, "  needs a specialist ", at)).toEqual({
      value: null,
      verb: "escalate",
      reason: "needs a specialist",
      shown_at: at,
    });
    expect(answered(task, { does: "abstain" }, "", at).value).toBeNull();
  });
  it("says what was answered", () => {
    expect(saidInWords(task, { does: "approve" })).toBe("Malignant, as AI");
    expect(saidInWords(task, benign)).toBe("Benign");
    expect(titleOf(task.question.options, "X")).toBe("X");
    expect(titleOf([], 0.25)).toBe("0.25");
  });
  it("asks in the form of the task", () => {
    expect(formOf(task)).toBe("options");
    expect(formOf({ ...task, kind: "sign_off" })).toBe("signature");
    const open = { ...task.question, options: [] };
    expect(formOf({ ...task, question: open })).toBe("unknown");
    expect(formOf({ ...task, question: { ...open, type: "number" } })).toBe("number");
    for (const type of ["multi_choice", "ranking", "span", "rating"]) {
      expect(formOf({ ...task, question: { ...task.question, type } })).toBe("unknown");
    }
    expect(formOf({ ...task, kind: "appeal" })).toBe("unknown");
  });
  it("offers only verbs that answer the kind of task", () => {
    expect(takes({ kind: "compare" }, "escalate")).toBe(false);
    expect(takes({ kind: "audit" }, "approve")).toBe(false);
    expect(takes({ kind: "sign_off" }, "sign")).toBe(true);
    expect(takes({ kind: "unheard_of" }, "abstain")).toBe(false);
  });
  it("reads typed answers", () => {
    expect(typedValue("number", " 3,5 ")).toBe(3.5);
    expect(typedValue("number", "\u22122")).toBe(-2);
    expect(typedValue("number", "1e400x")).toBeNull();
    expect(typedValue("number", "")).toBeNull();
    expect(typedValue("text", "  word ")).toBe("word");
  });
});
