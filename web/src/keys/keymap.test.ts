import { describe, expect, it } from "vitest";
import { isSingle, listCommand, type Press, stepRow, taskCommand } from "./keymap";

const press = (key: string, more: Partial<Press> = {}): Press => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  repeat: false,
  inField: false,
  ...more,
});
const review = { options: 3, approvable: true, signing: false };
const signing = { options: 0, approvable: false, signing: true };

describe("task keys", () => {
  it("numbers give answers that exist", () => {
    expect(taskCommand(press("1"), review)).toEqual({ does: "option", index: 0 });
    expect(taskCommand(press("3"), review)).toEqual({ does: "option", index: 2 });
    expect(taskCommand(press("4"), review)).toBeNull();
    expect(taskCommand(press("0"), review)).toBeNull();
  });
  it("letters are the verbs, in either case", () => {
    expect(taskCommand(press("a"), review)).toEqual({ does: "approve" });
    expect(taskCommand(press("N"), review)).toEqual({ does: "abstain" });
    expect(taskCommand(press("e"), review)).toEqual({ does: "escalate" });
    expect(taskCommand(press("s"), review)).toEqual({ does: "return" });
    expect(taskCommand(press("c"), review)).toEqual({ does: "comment" });
    expect(taskCommand(press("?", { shiftKey: true }), review)).toEqual({ does: "help" });
    expect(taskCommand(press("x"), review)).toBeNull();
  });
  it("cannot approve what is not shown", () => {
    expect(taskCommand(press("a"), { ...review, approvable: false })).toBeNull();
  });
  it("signs with the number keys only", () => {
    expect(taskCommand(press("1"), signing)).toEqual({ does: "sign" });
    expect(taskCommand(press("2"), signing)).toEqual({ does: "refuse" });
    expect(taskCommand(press("a"), signing)).toBeNull();
    expect(taskCommand(press("e"), signing)).toBeNull();
    expect(taskCommand(press("s"), signing)).toEqual({ does: "return" });
  });
  it("ignores keys in fields, with modifiers and held down", () => {
    for (const more of [{ inField: true }, { ctrlKey: true }, { metaKey: true }, { altKey: true }, { repeat: true }]) {
      expect(taskCommand(press("1", more), review)).toBeNull();
      expect(isSingle(press("1", more))).toBe(false);
    }
  });
});

describe("list keys", () => {
  it("moves", () => {
    expect(listCommand(press("j"))).toBe("next");
    expect(listCommand(press("K"))).toBe("previous");
    expect(listCommand(press("Enter"))).toBeNull();
    expect(listCommand(press("j", { inField: true }))).toBeNull();
  });
  it("runs on while J is held", () => {
    expect(listCommand(press("j", { repeat: true }))).toBe("next");
    expect(listCommand(press("j", { ctrlKey: true }))).toBeNull();
  });
  it("stays inside the list", () => {
    expect(stepRow(-1, 3, "next")).toBe(0);
    expect(stepRow(-1, 3, "previous")).toBe(2);
    expect(stepRow(2, 3, "next")).toBe(2);
    expect(stepRow(0, 3, "previous")).toBe(0);
    expect(stepRow(0, 0, "next")).toBe(-1);
  });
});
