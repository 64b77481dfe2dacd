import { describe, expect, it } from "vitest";
import { dayText, sentenceOf } from "./sentence";

describe("sentences of the journal", () => {
  it("tells an automatic decision from one that went to people", () => {
    expect(sentenceOf("review.decided", { route: "auto", value: "benign", score: 0.9953 })).toBe(
      "decided automatically: benign, score 0.995",
    );
    expect(sentenceOf("review.decided", { route: "human", value: null, reasons: ["no certificate is in force"] })).toBe(
      "sent an item to people: no certificate is in force",
    );
    expect(sentenceOf("review.decided", { route: "blocked", reasons: [] })).toBe("blocked an item");
  });
  it("says verdicts and answers in words", () => {
    expect(sentenceOf("review.verdict_given", { verdict: "correct", value: "benign" })).toBe(
      "corrected the AI answer: benign",
    );
    expect(sentenceOf("review.verdict_given", { verdict: "abstain", value: null })).toBe("could not say");
    expect(sentenceOf("tasks.answered", { answer: "sign", value: "sign" })).toBe("signed");
    expect(sentenceOf("tasks.answered", { answer: "label", value: "malignant" })).toBe("answered a task: malignant");
    expect(sentenceOf("review.audited", { wrong: true })).toBe("audited an automatic decision: wrong");
  });
  it("carries counts and reasons", () => {
    expect(sentenceOf("annotate.drawn", { drawn: 12, among: 45 })).toBe("drew 12 of 45 items for people, by lot");
    expect(sentenceOf("review.certificate_planned", { alpha: 0.02, labels: 100 })).toBe(
      "planned a certificate at 2\u202f% error from 100 labels",
    );
    expect(sentenceOf("review.group_braked", { groups: ["site=south"], why: "audit 41" })).toBe(
      "stopped site=south alone; the rest goes on: audit 41",
    );
    expect(sentenceOf("review.certificate_refused", { needed: 14 })).toBe(
      "refused a certificate, 14 more labels needed",
    );
    expect(sentenceOf("review.state_changed", { old: "auto", new: "braked", why: "audit 41" })).toBe(
      "changed automation from auto to braked: audit 41",
    );
  });
  it("says who gets no more tasks, and who may work again", () => {
    expect(sentenceOf("tasks.gate_closed", { right: 11, n: 24, least_agreement: 0.8 })).toBe(
      "gives a person no more tasks: 11 of 24 answers of known truth right",
    );
    expect(sentenceOf("tasks.admitted", { closed: true, right: 11, n: 24, reason: "trained again" })).toBe(
      "let a person work on the queue: trained again",
    );
  });
  it("says how many tasks climbed, and to whom", () => {
    const climbed = { tasks: 3, from_skill: "", to_skill: "senior", waited_s: 1800, task_ids: [] };
    expect(sentenceOf("tasks.climbed", climbed)).toBe("passed on 3 tasks that nobody claimed in time, to senior");
    expect(sentenceOf("tasks.climbed", { ...climbed, tasks: 1, to_skill: "lead" })).toBe(
      "passed on 1 task that nobody claimed in time, to leads",
    );
  });
  it("says what follows from a deadline, a policy and a reversal", () => {
    // As it comes over the network: an object with this property is not written down here.
    const passed = (what: string) =>
      sentenceOf("review.deadline_passed", JSON.parse(`{"then": "${what}"}`) as Record<string, unknown>);
    expect(passed("default")).toBe("gave the default answer: nobody answered in time");
    expect(passed("deny")).toBe("let a decision expire: nobody answered in time");
    expect(sentenceOf("review.policy_activated", { version: 2, loosens: [] })).toBe("put policy version 2 into force");
    expect(sentenceOf("review.policy_activated", { version: 3, loosens: ["rule huge: is gone"] })).toBe(
      "put policy version 3 into force, knowing that it lowers: rule huge: is gone",
    );
    expect(sentenceOf("review.reversed", { old: "benign", new: "malignant", reason: "" })).toBe(
      "reversed a decision: malignant, not benign",
    );
    expect(sentenceOf("review.reversed", { old: "benign", new: null, reason: "poor image" })).toBe(
      "took a decision back: benign: poor image",
    );
  });
  it("says what people do before and without the AI answer", () => {
    expect(sentenceOf("tasks.first_answered", { value: "benign" })).toBe(
      "answered before the AI answer was shown: benign",
    );
    expect(sentenceOf("review.verdict_given", { verdict: "skip_ai", value: null })).toBe(
      "asked to answer without the AI answer",
    );
    expect(sentenceOf("review.seed_answered", { outcome: "let_stand" })).toBe(
      "answered a seed, a case of known truth: let stand",
    );
    expect(sentenceOf("review.control_answered", { outcome: "false_alarm" })).toBe(
      "answered a control item, an audit of known truth: false alarm",
    );
    expect(sentenceOf("review.audit_overdue", {})).toBe(
      "found an audit without a verdict when it was due and handed it on",
    );
    expect(sentenceOf("review.certificate_planned", { alpha: 0.05, labels: 59, automate: 0.7 })).toBe(
      "planned a certificate at 5\u202f% error to automate 70\u202f%",
    );
  });
  it("writes the day of a stream as a date", () => {
    expect(dayText(20260913)).toBe("13 Sep 2026");
    expect(dayText("soon")).toBe("soon");
    expect(sentenceOf("monitor.day_profiled", { day: 20260913, decisions: 45, to_people: 45 })).toBe(
      "profiled 13 Sep 2026: 45 decisions, 45 to people",
    );
  });
  it("still says a verb it does not know", () => {
    expect(sentenceOf("govern.report_made", { reason: "asked for" })).toBe("report made: asked for");
    expect(sentenceOf("odd", {})).toBe("odd");
  });
});
