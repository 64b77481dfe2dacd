import { describe, expect, it } from "vitest";
import type { Certificate, Tally } from "../api/contract";
import { limited } from "./loss";
import {
  automationSaid,
  brakeState,
  certificateFacts,
  certificateState,
  eValue,
  leading,
  leadingFigure,
  loopSentence,
  neededSentence,
  queueSentence,
  simulatedSentence,
  splitSentence,
} from "./sentences";

const none: Tally = { auto: 0, human: 0, blocked: 0, expired: 0, total: 0 };
const day: Tally = { auto: 2296, human: 918, blocked: 0, expired: 0, total: 3214 };
const S = "\u202f";

describe("loop sentences", () => {
  it("leads with today, else with everything so far", () => {
    expect(leading({ today: day, all: day }).when).toBe("today");
    expect(leading({ today: none, all: day })).toEqual({ tally: day, when: "so far" });
  });
  it("says how things are in one sentence, and why people decide", () => {
    expect(loopSentence({ today: day, all: day, automation: "auto" })).toBe(
      `Today 2${S}296 of 3${S}214 items were decided without a person.`,
    );
    expect(loopSentence({ today: none, all: none, automation: "shadow" })).toBe(
      "No item has been decided yet. Every item goes to people; the model only watches.",
    );
    expect(loopSentence({ today: { ...none, auto: 1, total: 1 }, all: day, automation: "braked" })).toContain(
      "1 of 1 item was decided",
    );
  });
  it("leads with counts while there are few", () => {
    expect(leadingFigure({ ...none, auto: 3, human: 9, total: 12 })).toBe("3 of 12");
    expect(leadingFigure(day)).toBe(`71.4${S}%`);
    expect(leadingFigure({ ...day, auto: 0 })).toBe(`0${S}%`);
  });
  it("names what was blocked or expired only when it happened", () => {
    expect(splitSentence(day)).toBe(`2${S}296 automatic, 918 to people`);
    expect(splitSentence({ ...day, blocked: 3, expired: 1 })).toContain("3 blocked, 1 expired");
  });
  it("lists what is simulated", () => {
    const said = (simulated: string[], demo = true, description = ""): string =>
      simulatedSentence({ demo, description, simulated });
    expect(said([], false, "A project.")).toBe("");
    expect(said([])).toBe("This project was made by a demonstration.");
    expect(said([], true, "Reviewers are simulated.")).toBe("Reviewers are simulated.");
    expect(said(["people"])).toBe("Simulated here: people.");
    expect(said(["people", "their errors", "the shift"])).toBe("Simulated here: people, their errors and the shift.");
  });
  it("gives every automation state a mark and a word", () => {
    expect(automationSaid("auto")).toEqual({ state: "auto", text: "Automation on" });
    expect(automationSaid("stopped").state).toBe("braked");
  });
  it("counts the queue", () => {
    expect(queueSentence({ open: 0, claimed: 0, due: 0 })).toBe("Nothing waits for people.");
    expect(queueSentence({ open: 1, claimed: 0, due: 0 })).toBe("1 task waits for people.");
    expect(queueSentence({ open: 277, claimed: 3, due: 41 })).toBe(
      "277 tasks wait for people, 41 due today, 3 being answered now.",
    );
  });
});

const certificate: Certificate = {
  id: "C-1",
  status: "certified",
  alpha: 0.05,
  delta: 0.1,
  threshold: 0.931,
  coverage: 0.78,
  labels: 412,
  errors: 9,
  labels_in_range: 322,
  errors_in_range: 2,
  upper: 0.0164,
  needed: null,
  model: "v14",
  policy: "p9",
  issued_at: null,
  mode: "closed",
  groups: [],
  groups_apart: false,
};

describe("certificate", () => {
  it("tells its evidence, bound and threshold", () => {
    const facts = new Map(certificateFacts(certificate).map(({ term, fact }) => [term, fact]));
    expect(facts.get("In the automatic range")).toBe("322 of 412 labels, 2 wrong");
    expect(facts.get("Upper bound on error")).toBe(`1.64${S}%`);
    expect(facts.get("Threshold")).toBe("score 0.931 and above");
    expect(facts.get("Holds for")).toBe("model v14, policy p9");
  });
  it("leaves out what a refused one does not have", () => {
    const refused = {
      ...certificate,
      status: "refused",
      threshold: null,
      upper: null,
      labels_in_range: null,
      errors_in_range: null,
      policy: "",
    };
    expect(certificateFacts(refused).map(({ term }) => term)).toEqual(["Evidence", "Asked for"]);
  });
  it("tells a refused one's nearest range against the limit", () => {
    const refused = {
      ...certificate,
      status: "refused",
      threshold: null,
      alpha: 0.05,
      upper: 0.0756,
      model: "model 2",
    };
    const facts = new Map(certificateFacts(refused).map(({ term, fact }) => [term, fact]));
    expect(facts.get("Range that came nearest")).toBe("322 of 412 labels, 2 wrong");
    expect(facts.get("Upper bound on error")).toBe(`7.56${S}%, the limit is 5${S}%`);
    expect(facts.get("Asked for")).toBe("model 2, policy p9");
  });
  it("is not refused when its groups have thresholds of their own", () => {
    const group = { group: "site=north", alpha: 0.05, state: "auto", threshold: 0.9, coverage: 0.8 } as const;
    const none = { labels: 60, errors: 0, needed: null, audits: 0, wrong: 0 };
    const apart = { ...certificate, threshold: null, groups: [{ ...group, ...none }], groups_apart: true };
    const facts = new Map(certificateFacts(apart).map(({ term, fact }) => [term, fact]));
    expect(facts.get("Threshold")).toBe("each group its own");
    expect(facts.has("Holds for")).toBe(true);
  });
  it("says how many labels are missing", () => {
    expect(neededSentence({ needed: 118, alpha: 0.02 })).toBe(
      `Cannot certify at 2${S}% error yet, 118 more labels needed.`,
    );
    expect(neededSentence({ needed: 1, alpha: 0.02 })).toContain("1 more label needed");
    expect(neededSentence({ needed: null, alpha: 0.02 })).toContain("not known");
  });
  it("says mean loss where a loss was certified", () => {
    const facts = certificateFacts({ ...certificate, mode: "betting", upper: null });
    expect(facts[0]?.fact).toBe("322 of 412 labels, 2 with a loss");
    expect(limited(certificate)).toBe("error");
    expect(neededSentence({ needed: 118, alpha: 0.02, mode: "betting" })).toBe(
      `Cannot certify at 2${S}% mean loss yet, 118 more labels needed.`,
    );
  });
  it("maps every status to a state, also one it does not know", () => {
    expect(certificateState("certified")).toEqual({ state: "auto", text: "in force" });
    expect(certificateState("planned").state).toBe("pending");
    expect(certificateState("refused").state).toBe("pending");
    expect(certificateState("ended_by_promotion")).toEqual({ state: "expired", text: "ended by promotion" });
  });
});

describe("brake", () => {
  it("names its level and value", () => {
    expect(brakeState({ level: "ready" }).state).toBe("decided");
    expect(brakeState({ level: "warned" }).state).toBe("warned");
    expect(brakeState({ level: "braked" }).state).toBe("braked");
    expect(eValue(3.42)).toBe("3.4");
    expect(eValue(250)).toBe("250");
    expect(eValue(0.083)).toBe("0.08");
    expect(eValue(0)).toBe("under 0.01");
    expect(eValue(1e9)).toBe(`over 10${S}000`);
  });
});
