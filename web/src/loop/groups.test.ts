import { describe, expect, it } from "vitest";
import type { Group } from "../api/contract";
import {
  automates,
  groupDetail,
  groupShare,
  groupState,
  groupsRule,
  groupsSaid,
  heldGroups,
  letsThrough,
  limitSaid,
} from "./groups";

const S = "\u202f";
const north: Group = {
  group: "site=north",
  alpha: 0.05,
  state: "auto",
  threshold: 0.9,
  coverage: 0.8,
  labels: null,
  errors: null,
  needed: null,
  audits: 12,
  wrong: 0,
};
const south: Group = {
  ...north,
  group: "site=south",
  state: "human",
  threshold: null,
  labels: 45,
  errors: 6,
  needed: 22,
};
const west: Group = { ...north, group: "site=west", state: "braked", audits: 9, wrong: 6 };

describe("groups", () => {
  it("counts what is automatic, with people and braked, and names nothing else", () => {
    expect(groupsSaid([north, { ...north, state: "warned" }, south, west], "auto")).toBe(
      "2 automatic, 1 with people, 1 braked",
    );
    expect(groupsSaid([north], "warned")).toBe("1 automatic");
    expect(groupsSaid([{ state: "planned" }, south], "certifying")).toBe("1 with people, 1 collecting labels");
    expect(groupsSaid([{ state: "ended" }], "shadow")).toBe("1 ended");
  });
  it("calls no group automatic while automation is off for all", () => {
    expect(groupState(north, "stopped")).toEqual({ state: "pending", text: "people decide" });
    expect(groupState(north, "auto")).toEqual({ state: "auto", text: "automatic" });
    expect(groupState(west, "braked").state).toBe("braked");
    expect(groupsSaid([north, south], "stopped")).toBe("2 with people");
  });
  it("gives a group that people decide no share", () => {
    expect(groupShare(north, "auto")).toBe(`80${S}%`);
    expect(groupShare({ ...north, coverage: null }, "warned")).toBe("not known");
    expect(groupShare(north, "stopped")).toBe(`0${S}%`);
    expect(groupShare(west, "auto")).toBe(`0${S}%`);
    expect(groupShare(south, "auto")).toBe(`0${S}%`);
    expect(groupShare({ ...north, state: "planned" }, "certifying")).toBe("not yet");
    expect(automates({ groups: [north, south] })).toBe("Automates");
    expect(automates({ groups: [north, west] })).toBe("Certified to automate");
  });
  it("says on what a state rests", () => {
    expect(groupDetail(north)).toBe("12 audits, 0 wrong");
    expect(groupDetail(west)).toBe("9 audits, 6 wrong");
    expect(groupDetail(south)).toBe("22 more labels needed");
    expect(groupDetail({ ...south, needed: 0 })).toBe("6 of 45 labels wrong");
    expect(groupDetail({ ...south, needed: null, labels: null, errors: null })).toBe("");
    expect(groupDetail({ ...north, state: "planned", labels: 60 })).toBe("60 labels asked for");
    expect(groupDetail({ ...north, audits: null, wrong: null })).toBe("");
  });
  it("names the groups that the brake holds while others go on", () => {
    expect(heldGroups([north, west], "auto")).toEqual(["site=west"]);
    expect(heldGroups([north, west], "stopped")).toEqual([]);
  });
  it("knows a certificate whose thresholds are its groups'", () => {
    expect(letsThrough({ threshold: null, groups: [south, north] })).toBe(true);
    expect(letsThrough({ threshold: null, groups: [south] })).toBe(false);
    expect(letsThrough({ threshold: 0.9, groups: [] })).toBe(true);
  });
  it("tells the limit once, or that each group has its own", () => {
    const apart = { alpha: 0.05, groups: [north, south], groups_apart: true };
    expect(limitSaid({ ...apart, groups_apart: false })).toBe(`\u2264 5${S}% error`);
    expect(limitSaid(apart)).toBe(`\u2264 5${S}% error in one group`);
    expect(limitSaid({ ...apart, groups: [north, { ...west, alpha: 0.02 }] })).toBe(
      "\u2264 its own limit of error in each of 2 groups",
    );
    expect(groupsRule(apart)).toContain("own");
    expect(groupsRule({ groups_apart: false })).toContain("One threshold");
  });
});
