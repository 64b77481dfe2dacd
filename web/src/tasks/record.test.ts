import { describe, expect, it } from "vitest";
import type { Field } from "../api/contract";
import { estimate, points, proposalOf } from "./comparison";
import { otherMoves, rowsOf, strongest, valueText } from "./record";

const S = "\u202f";
const field = (more: Partial<Field>): Field => ({
  name: "x",
  title: "X",
  unit: null,
  value: null,
  reference_low: null,
  reference_high: null,
  ...more,
});

describe("record rows", () => {
  it("says what is missing in the place of the value", () => {
    expect(rowsOf([field({})], [])[0]).toMatchObject({ value: "missing", missing: true, reference: "", place: null });
    expect(valueText("")).toBe("missing");
    expect(valueText(false)).toBe("no");
    expect(valueText(0)).toBe("0");
  });
  it("places a number in its reference range", () => {
    const [row] = rowsOf([field({ value: 92, reference_low: 120, reference_high: 150 })], []);
    expect(row).toMatchObject({ value: "92", isNumber: true, reference: "120\u2013150" });
    expect(row?.place?.flag).toBe("low");
  });
  it("writes both ends of a range with the same digits, and one-sided ranges in words", () => {
    const text = (low: number | null, high: number | null): string | undefined =>
      rowsOf([field({ reference_low: low, reference_high: high })], [])[0]?.reference;
    expect(text(4, 11.5)).toBe("4.0\u201311.5");
    expect(text(-10, 10)).toBe("\u221210 to 10");
    expect(text(null, 5)).toBe("up to 5");
    expect(text(0.5, null)).toBe("from 0.5");
  });
  it("joins contributions by name and keeps those of no field", () => {
    const fields = [field({ name: "a", value: 1 }), field({ name: "b", value: "left" })];
    const top = [
      { feature: "b", contribution: -0.2 },
      { feature: "a:b", contribution: 0.1 },
    ];
    const rows = rowsOf(fields, top);
    expect(rows.map(({ contributionText }) => contributionText)).toEqual(["", "\u22120.20"]);
    expect(strongest(rows)).toBeCloseTo(0.2);
    expect(otherMoves(fields, top)).toEqual([{ feature: "a:b", contribution: 0.1 }]);
    expect(strongest([])).toBe(0);
  });
});

describe("proposal", () => {
  const accuracy = { value: 0.942, low: 0.933, high: 0.951, n: 1920, level: 0.9 };
  const payload = {
    summary: "The challenger is better.",
    model: { id: "m2", name: "v2", digest: "abc", commit_id: "c41f9e", rows: 2428, note: "" },
    champion: { id: "m1", name: "v1" },
    evaluation: null,
    comparison: {
      champion_accuracy: { ...accuracy, value: 0.935 },
      challenger_accuracy: accuracy,
      difference: { value: 0.007, low: -0.004, high: 0.018, n: 1920 },
      only_champion: 12,
      only_challenger: 25,
      p_value: 0.0471,
      rows: 1920,
    },
  };
  it("puts champion and challenger side by side with their intervals", () => {
    const found = proposalOf(payload);
    expect(found.champion).toBe("v1");
    expect(found.lines[0]?.challenger).toBe(`94.2${S}% (93.3\u201395.1, n = 1${S}920)`);
    expect(found.lines[1]).toMatchObject({ champion: "12", challenger: "25" });
    expect(found.level).toBe(0.9);
    expect(found.difference).toBe("+0.7 points (\u22120.4 to 1.8)");
    expect(found.facts.map(({ term }) => term)).toEqual(["Trained on", "Held-out items", "McNemar's exact test"]);
  });
  it("shows a first candidate without a champion", () => {
    const found = proposalOf({ ...payload, champion: null, comparison: null, evaluation: { rows: 200, accuracy } });
    expect(found.champion).toBeNull();
    expect(found.lines[0]?.champion).toBe("not measured");
    expect(found.lines[0]?.challenger).toContain("94.2");
    expect(found.difference).toBe("");
  });
  it("trusts no shape", () => {
    expect(proposalOf({})).toMatchObject({ summary: "", model: "the candidate", champion: null, facts: [] });
    expect(proposalOf({ comparison: "x", model: [], champion: 3 }).champion).toBeNull();
    expect(estimate({ value: "0.9" })).toBeNull();
    expect(points(null)).toBe("not measured");
  });
});
