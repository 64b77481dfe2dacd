import { describe, expect, it } from "vitest";
import { chanceSentence, chanceWord } from "./chance";
import { actorName, humanised, shortDigest, shortId, taskKind } from "./names";
import {
  count,
  counted,
  decimalsFor,
  fixed,
  measured,
  partOf,
  percent,
  percentShort,
  percentWithInterval,
  range,
  signed,
  withUnit,
} from "./number";
import { dateline, due, duration, moment, momentExact, readTime } from "./time";

const zone = "Europe/Berlin";
const now = new Date("2026-11-05T09:42:00Z"); // Thu 5 Nov 2026, 10:42 in Berlin

describe("numbers", () => {
  it("groups thousands with a narrow space", () => {
    expect(count(2296)).toBe("2\u202f296");
    expect(count(1_000_000)).toBe("1\u202f000\u202f000");
    expect(count(12)).toBe("12");
  });
  it("writes a true minus and never minus zero", () => {
    expect(fixed(-26, 0)).toBe("\u221226");
    expect(fixed(-0.001, 2)).toBe("0.00");
    expect(signed(0.24)).toBe("+0.24");
    expect(signed(-0.02)).toBe("\u22120.02");
    expect(signed(0)).toBe("0.00");
  });
  it("puts a narrow space before the per cent sign", () => {
    expect(percent(0.714)).toBe("71.4\u202f%");
    expect(percentShort(0.02)).toBe("2\u202f%");
    expect(percentShort(0.0164)).toBe("1.64\u202f%");
    expect(percentShort(0.2)).toBe("20\u202f%");
    expect(percentShort(1, 0)).toBe("100\u202f%");
  });
  it("shows as many digits as the interval supports", () => {
    expect(decimalsFor(16)).toBe(0);
    expect(percentWithInterval({ value: 0.942, low: 0.933, high: 0.951, n: 1920 })).toBe(
      "94.2\u202f% (93.3\u201395.1, n = 1\u202f920)",
    );
    expect(percentWithInterval({ value: 0.83, low: 0.74, high: 0.9, n: 71 })).toBe("83\u202f% (74\u201390, n = 71)");
  });
  it("gives counts before the per cent under thirty", () => {
    expect(partOf(3, 29)).toBe("3 of 29 (10\u202f%)");
    expect(partOf(48, 400)).toBe("12.0\u202f% (48 of 400)");
    expect(partOf(0, 0)).toBe("0 of 0");
  });
  it("says 'to' when an end of a range is negative", () => {
    expect(range(-10, 10, 0)).toBe("\u221210 to 10");
    expect(range(4, 11, 1)).toBe("4.0\u201311.0");
  });
  it("keeps four significant digits of a measurement", () => {
    expect(measured(0.084749)).toBe("0.08475");
    expect(measured(1001)).toBe("1\u202f001");
    expect(measured(1001.25)).toBe("1\u202f001");
    expect(measured(17.99)).toBe("17.99");
    expect(measured(6.1)).toBe("6.1");
    expect(measured(0)).toBe("0");
    expect(measured(Number.NaN)).toBe("not measured");
    expect(measured(-0.0000001234)).toBe("\u22121.23e\u22127");
  });
  it("joins a number with its noun and unit", () => {
    expect(counted(1, "label")).toBe("1 label");
    expect(counted(2428, "label")).toBe("2\u202f428 labels");
    expect(counted(2, "entry", "entries")).toBe("2 entries");
    expect(withUnit("92", "g/L")).toBe("92\u202fg/L");
    expect(withUnit("92", "")).toBe("92");
  });
});

describe("times", () => {
  it("drops what today already says", () => {
    expect(moment(new Date("2026-11-05T09:41:52Z"), { now, zone })).toBe("10:41");
    expect(moment(new Date("2026-11-03T15:20:00Z"), { now, zone })).toBe("3 Nov, 16:20");
    expect(moment(new Date("2025-09-03T14:20:00Z"), { now, zone })).toBe("3 Sep 2025, 16:20");
    expect(momentExact(new Date("2026-11-05T09:41:52Z"), { now, zone })).toBe("10:41:52");
  });
  it("writes the date of the page", () => {
    expect(dateline(now, zone)).toBe("Thu 5 Nov 2026, 10:42");
  });
  it("says durations as people do", () => {
    expect(duration(40)).toBe("40 s");
    expect(duration(38 * 60)).toBe("38 min");
    expect(duration(78 * 60)).toBe("1 h 18 min");
    expect(duration(122 * 60)).toBe("2 h 02 min");
    expect(duration(2 * 3600)).toBe("2 h");
    expect(duration(26 * 3600)).toBe("1 day");
    expect(duration(75 * 3600)).toBe("3 days");
  });
  it("says when something is due, or how late it is", () => {
    expect(due(new Date("2026-11-05T11:00:00Z"), { now, zone })).toBe("in 1 h 18 min");
    expect(due(new Date("2026-11-07T11:00:00Z"), { now, zone })).toBe("7 Nov, 12:00");
    expect(due(new Date("2026-11-05T09:30:00Z"), { now, zone })).toBe("late by 12 min");
  });
  it("refuses what is not a time", () => {
    expect(readTime("yesterday")).toBeNull();
    expect(readTime(null)).toBeNull();
    expect(readTime("2026-11-05T09:42:00Z")).toEqual(now);
  });
});

describe("words", () => {
  it("picks the word of chance", () => {
    expect(chanceWord(0.95)).toBe("Very likely right");
    expect(chanceWord(0.86)).toBe("Likely right");
    expect(chanceWord(0.6)).toBe("More likely right than not");
    expect(chanceWord(0.59)).toBe("Unclear");
  });
  it("prefers the sentence of the server", () => {
    expect(chanceSentence(0.86, "Likely right: about 86 of 100")).toBe("Likely right: about 86 of 100.");
    expect(chanceSentence(0.86, "about 86 in 100 like this")).toBe("Likely right: about 86 in 100 like this.");
    expect(chanceSentence(0.86, " ")).toBe("Likely right: score 0.86.");
  });
  it("gives an audit the same name as a label", () => {
    expect(taskKind("audit")).toBe(taskKind("label"));
    expect(taskKind("sign_off")).toBe("Signature");
    expect(taskKind("second_opinion")).toBe("Second opinion");
  });
  it("shortens ids by their random end and digests by their beginning", () => {
    expect(shortId("0199f0aa-1111-7abc-8def-0123456789ab")).toBe("6789ab");
    expect(shortId("AF-20931")).toBe("AF-20931");
    expect(shortDigest(shortId("c41f9e00aa11bb22cc33dd44ee55ff66"))).toBe("c41f9e00");
    expect(shortDigest("sha256:c41f9e0000000000aa")).toBe("c41f9e00");
  });
  it("names rules and machines as such", () => {
    expect(actorName({ kind: "rule", name: "audit-5" })).toBe("rule audit-5");
    expect(actorName({ kind: "simulated", name: "A. Brandt" })).toBe("A. Brandt");
    expect(humanised("review.decided")).toBe("Review decided");
  });
});
