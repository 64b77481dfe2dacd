import { describe, expect, it } from "vitest";
import { cellOf } from "./cell";
import { itemNameOf, sectionsOf } from "./document";

const when = { now: new Date("2026-11-05T12:00:00Z"), zone: "UTC" };
const id = "0199f0aa-1111-7abc-8def-0123456789ab";
const accuracy = { value: 0.988, low: 0.936, high: 0.9997, n: 85, level: 0.95 };

describe("dossier", () => {
  const dossier = {
    entries: [{ index: 12 }],
    work: [{ kind: "review", answer: { verb: "approve", by: { kind: "simulated", name: "Reviewer B" } } }],
    item: { external_id: "case-117", data: { radius: 17.99, texture: null }, observed_at: "2026-11-05T09:41:52Z" },
    as_of: "2026-11-04T09:00:00Z",
    decision: { id, status: "auto" },
    reasons: ["score 0.97 is above 0.931", "rule r1 does not apply"],
    prediction: {
      value: "M",
      top: [
        ["worst area", 1.63],
        ["mean texture", -0.5],
      ],
    },
    certificate: null,
    model: {
      metrics: {
        accuracy,
        classes: { benign: { recall: accuracy, rows: 52 }, malignant: { recall: accuracy, rows: 33 } },
      },
      card: { metrics: { accuracy }, limits: ["Says nothing of other items.", "Holds for these."] },
    },
    something_new: { depth: { a: 1 } },
  };
  const sections = sectionsOf(dossier, when);
  const section = (key: string) => sections.find((one) => one.key === key);
  const facts = (key: string) => new Map(section(key)?.facts.map(({ term, cell }) => [term, cell.text]));

  it("puts the parts in reading order and keeps those it does not know", () => {
    expect(sections.map(({ title }) => title)).toEqual([
      "Decision",
      "Why it went this way",
      "Tasks and answers",
      "Item",
      "AI answer",
      "Certificate",
      "Model",
      "Something new",
    ]);
  });
  it("says when nobody has acted on it", () => {
    const [, followed] = sectionsOf({ decision: { id }, execution: null }, when);
    expect([followed?.title, followed?.note]).toEqual(["What followed", "Nobody has acted on this decision yet."]);
  });
  it("joins single values with the decision", () => {
    expect(section("decision")?.facts.map(({ term, cell }) => `${term}: ${cell.text}`)).toEqual([
      "As of: 4 Nov, 09:00:00",
      "Id: 6789ab",
      "Status: auto",
    ]);
  });
  it("opens objects one level and says what is missing", () => {
    expect(facts("item").get("Data, radius")).toBe("17.99");
    expect(facts("item").get("Data, texture")).toBe("none");
    expect(facts("item").get("Observed at")).toBe("09:41:52");
    expect(section("certificate")?.note).toBe("No certificate was in force when this was decided.");
  });
  it("writes estimates with interval and n, and the same facts of several names as a table", () => {
    expect(facts("model").get("Metrics, right in cross-validation")).toBe(
      "99\u202f% (94\u2013100, n = 85), 95\u202f% interval",
    );
    const [classes] = section("model")?.tables ?? [];
    expect(classes?.columns.map(({ title }) => title)).toEqual(["Name", "Recall", "Labels"]);
    expect(classes?.rows[1]?.map(({ text }) => text)).toEqual(["malignant", "99\u202f% (94\u2013100, n = 85)", "33"]);
  });
  it("joins sentences without commas", () => {
    expect(facts("model").get("Card, limits")).toBe("Says nothing of other items. Holds for these.");
  });
  it("shows what moved the score as a table", () => {
    const [top] = section("prediction")?.tables ?? [];
    expect(top?.title).toBe("What moved the score");
    expect(top?.columns).toEqual([
      { title: "Feature", isNumber: false },
      { title: "Contribution", isNumber: true },
    ]);
    expect(top?.rows[1]?.map(({ text }) => text)).toEqual(["mean texture", "\u22120.5"]);
  });
  it("marks a simulated person wherever one acts", () => {
    const [work] = section("work")?.tables ?? [];
    expect(work?.columns.map(({ title }) => title)).toEqual(["Kind", "Verdict", "By"]);
    expect(work?.rows[0]?.[2]).toEqual({ is: "actor", kind: "simulated", name: "Reviewer B", text: "Reviewer B" });
    expect(sectionsOf({ decision: { by: { kind: "rule", name: "r1" } } }, when)[0]?.facts[0]?.cell.is).toBe("actor");
  });
  it("keeps whole ids behind short ones", () => {
    expect(cellOf(id, when)).toEqual({ is: "code", text: "6789ab", whole: id });
    expect(cellOf(true, when).text).toBe("yes");
    expect(cellOf({}, when).is).toBe("missing");
    expect(cellOf([], when).is).toBe("missing");
  });
  it("names the item", () => {
    expect(itemNameOf(dossier)).toBe("case-117");
    expect(itemNameOf({})).toBe("");
  });
});
