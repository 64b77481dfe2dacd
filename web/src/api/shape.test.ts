import { describe, expect, it } from "vitest";
import {
  entryOf,
  journalOf,
  loopOf,
  plainValue,
  projectOf,
  queueOf,
  type SentEntry,
  type SentLoop,
  type SentTask,
  sentence,
  taskOf,
  whyAsked,
} from "./shape";

const entry: SentEntry = {
  index: 7,
  time: "2026-11-05T09:42:00Z",
  actor: { kind: "simulated", name: "A. Brandt" },
  verb: "tasks.withdrawn",
  objects: {},
};
const id = "0199f0aa-1111-7abc-8def-0123456789ab";

describe("journal", () => {
  it("makes the sentence when none was sent and keeps one that was", () => {
    expect(entryOf({ ...entry, payload: { why: "no longer needed" } }).sentence).toBe(
      "withdrew a task: no longer needed",
    );
    expect(entryOf({ ...entry, sentence: "did it" }).sentence).toBe("did it");
  });
  it("never takes an unknown kind of actor for a person", () => {
    expect(entryOf({ ...entry, actor: { kind: "robot", name: "x" } }).actor.kind).toBe("machine");
    expect(entryOf({ ...entry, actor: {} }).actor).toEqual({ kind: "machine", name: "" });
  });
  it("goes on before the last entry of a full list and ends with a short one", () => {
    expect(journalOf([entry, { ...entry, index: 6 }], 2).next).toBe(6);
    expect(journalOf([entry], 2).next).toBeNull();
    expect(journalOf({ items: [entry], next: 3 }, 1).next).toBe(3);
  });
});

describe("loop", () => {
  const sent: SentLoop = {
    project: { id: "p", name: "Breast mass" },
    as_of: "2026-11-05T09:42:00Z",
    automation: "auto",
    all: { auto: 131, human: 178, blocked: 0, expired: 0, total: 309 },
    stages: [
      { key: "review", title: "Decide and review", figure: "57 open", detail: "", state: "auto", state_text: "auto" },
      {
        key: "watch",
        title: "Watch",
        figure: "0 alarms",
        detail: "",
        state: "decided",
        state_text: "quiet",
        href: "journal",
      },
    ],
    certificate: null,
    brake: null,
    open_tasks: 57,
    journal_entries: 1376,
    events: [entry],
  };
  it("fills what is not sent with what is true without it", () => {
    const loop = loopOf(sent);
    expect(loop.today.total).toBe(0);
    expect(loop.queue).toEqual({ open: 57, claimed: 0, due: 0 });
    expect(loop.project.description).toBe("");
    expect(loop.stages.map(({ href }) => href)).toEqual(["tasks", "journal"]);
  });
  it("takes an unknown state of automation for off", () => {
    expect(loopOf({ ...sent, automation: "turbo" }).automation).toBe("shadow");
  });
  it("names certificates by number and models by name, else by short ids", () => {
    const certificate = {
      id,
      number: 3,
      status: "refused",
      alpha: 0.05,
      delta: 0.1,
      threshold: null,
      coverage: 0,
      labels: null,
      errors: null,
      labels_in_range: null,
      errors_in_range: null,
      upper: null,
      needed: 81,
      mode: null,
      model_id: id,
      issued_at: null,
    };
    expect(loopOf({ ...sent, certificate }).certificate).toMatchObject({
      id: "C-3",
      model: "6789ab",
      labels: 0,
      policy: "",
      groups: [],
      groups_apart: false,
    });
    expect(loopOf({ ...sent, certificate: { ...certificate, model: "model 2" } }).certificate?.model).toBe("model 2");
  });
});

describe("projects and tasks", () => {
  it("marks every project of a demonstration home", () => {
    expect(projectOf({ id: "p", name: "P", description: "" }, true).demo).toBe(true);
    expect(projectOf({ id: "p", name: "P", description: "", demo: false, simulated: ["x"] }, true)).toMatchObject({
      demo: false,
      simulated: ["x"],
    });
  });
  const task: SentTask = {
    id: "t",
    kind: "label",
    question: { name: "q", title: "Q", type: "choice", options: [] },
    item: {
      id: "i",
      name: "case-1",
      values: { a: { deep: 1 } },
    },
    fields: [
      { name: "a", title: "A", unit: null, reference_low: null, reference_high: null },
      { name: "b", title: "B", unit: "mm", reference_low: 1, reference_high: 2 },
    ],
    prediction: { value: "M", score: 0.9, words: "", top: [] },
    blind: true,
    reason: "no certificate is in force",
    payload: {},
    claim_until: null,
    guideline: null,
    first_needed: false,
  };
  it("shows no prediction with a blind task, even if one was sent", () => {
    expect(taskOf(task).prediction).toBeNull();
    expect(taskOf({ ...task, blind: false }).prediction?.value).toBe("M");
    expect(taskOf({ ...task, blind: false, first_needed: true }).prediction).toBeNull();
    expect(taskOf({ ...task, own_answer: "B" }).own_answer).toBe("B");
  });
  it("writes reasons as sentences and odd values as they were sent", () => {
    expect(taskOf(task).reason).toBe("A person decides because no certificate is in force.");
    expect(whyAsked("drawn at random for a look of your own")).toBe("Drawn at random for a look of your own.");
    expect(taskOf(task).item?.fields.map(({ name, value }) => [name, value])).toEqual([
      ["a", '{"deep":1}'],
      ["b", null],
    ]);
    expect(plainValue(undefined)).toBeNull();
    expect(sentence("Why?")).toBe("Why?");
    expect(sentence("  ")).toBe("");
    expect(queueOf({ items: [], next: null, counts: {} }).items).toEqual([]);
  });
});
