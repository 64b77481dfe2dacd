import { describe, expect, it } from "vitest";
import { sectionsOf } from "./document";
import { fieldsOf, modelAnswerOf, movesOf, outcomeOf, readable } from "./reader";

const when = { now: new Date("2026-11-05T12:00:00Z"), zone: "UTC" };
const accuracy = { value: 0.988, low: 0.936, high: 0.9997, n: 85, level: 0.95 };
const reviewer = { kind: "simulated", name: "Reviewer B" };

const dossier = {
  decision: {
    status: "decided",
    route: "human",
    value: "benign",
    by: "simulated:r-b",
    audit_probability: 0.2,
    kept: 1,
  },
  item: { id: "i-117", name: "case-117", fields: { area: 408.8, radius: 17.99, texture: null } },
  reasons: ["the score 0.670 is under the certified threshold 0.931"],
  prediction: { value: "malignant", top: [["radius", 0.5], ["no number", "x"], "nothing"], scores: { benign: 0.33 } },
  model: {
    name: "model 2",
    metrics: { accuracy, rows: 85, brier: 0.03 },
    card: {
      fields: ["radius", "texture", "area"],
      metrics: { accuracy },
      limits: ["Holds for these."],
      data: { rows: 85 },
    },
  },
  policy: { version: 3, document: { alpha: 0.05, retrain_after: 0 } },
  certificate: null,
  work: [{ kind: "review", answer: { verb: "correct", value: "benign", by: reviewer } }],
  entries: [],
  something_new: { depth: 1 },
};
const facts = (key: string) => {
  const found = sectionsOf(readable(dossier), when).find((section) => section.key === key);
  return new Map(found?.facts.map(({ term, cell }) => [term, cell.text]));
};

describe("the reader of a dossier", () => {
  it("is told first what was decided by whom and why", () => {
    expect(outcomeOf(dossier)).toEqual({
      state: "decided",
      text: "decided",
      said: "Decided by a simulated person: benign. A person was asked because the score 0.670 is under the certified threshold 0.931.",
    });
    expect(outcomeOf({ decision: { status: "reversed", by: "person:p-1" } }).said).toBe("Reversed by a person.");
    expect(outcomeOf({ decision: { status: "auto", value: "benign" }, reasons: ["the score is high"] }).said).toBe(
      "Decided automatically: benign. The score is high.",
    );
    expect(outcomeOf({ decision: { status: "pending" } })).toEqual({
      state: "pending",
      text: "waits for a person",
      said: "Not decided yet: a person is asked.",
    });
    expect(outcomeOf({}).text).toBe("state not known");
    expect(outcomeOf({ decision: { status: "held_back" } }).said).toBe("Held back.");
  });
  it("sees a simulated person as one, and a policy by its version", () => {
    const decision = sectionsOf(readable(dossier), when)[0];
    expect(decision?.facts.find(({ term }) => term === "Decided by")?.cell).toMatchObject({ is: "actor", ...reviewer });
    const byPolicy = { ...dossier, decision: { status: "auto", by: "policy:p" } };
    expect(sectionsOf(readable(byPolicy), when)[0]?.facts.map(({ cell }) => cell.text)).toContain("policy version 3");
  });
  it("is told each task in a row, with the person marked as simulated", () => {
    const work = sectionsOf(readable(dossier), when).find(({ key }) => key === "work")?.tables[0];
    expect(work?.columns.map(({ title }) => title)).toEqual(["Task", "Verdict", "Answer", "By"]);
    expect(work?.rows[0]?.map(({ text }) => text)).toEqual(["review", "correct", "benign", "Reviewer B"]);
    expect(work?.rows[0]?.[3]).toMatchObject({ is: "actor", kind: "simulated" });
    const asked = { ...dossier, work: [{ kind: "audit", blind: true, status: "open", reason: "a look of your own" }] };
    const open = sectionsOf(readable(asked), when).find(({ key }) => key === "work")?.tables[0];
    expect(open?.rows[0]?.map(({ text }) => text)).toEqual(["audit, answered blind", "a look of your own", "open"]);
  });
  it("reads shares as per cent and settings without the names of their containers", () => {
    expect(facts("decision").get("Chance of an audit")).toBe("20\u202f%");
    expect(facts("policy").get("Highest error allowed")).toBe("5\u202f%");
    expect(facts("policy").get("Verdicts that start a training")).toBe("none, a person starts it");
    expect(facts("model").get("Right in cross-validation")).toBe("99\u202f% (94\u2013100, n = 85), 95\u202f% interval");
    expect(facts("model").get("Labels")).toBe("85");
    expect(facts("model").get("Limits")).toBe("Holds for these.");
  });
  it("gets every part and fact, also one that is not known", () => {
    expect(facts("decision").get("Kept")).toBe("1");
    expect(facts("something_new").get("Depth")).toBe("1");
    expect(facts("item").size).toBe(0);
    expect(facts("decision").get("Item")).toBe("i-117");
    expect(facts("prediction").get("Score for benign")).toBe("0.33");
  });
  it("sees the item in the order of the model, with what moved the score", () => {
    expect(fieldsOf(dossier).map(({ name, value }) => [name, value])).toEqual([
      ["radius", 17.99],
      ["texture", null],
      ["area", 408.8],
    ]);
    expect(movesOf(dossier)).toEqual([{ feature: "radius", contribution: 0.5 }]);
    expect([modelAnswerOf(dossier), modelAnswerOf({})]).toEqual(["malignant", ""]);
    expect([fieldsOf({}), movesOf({})]).toEqual([[], []]);
  });
});
