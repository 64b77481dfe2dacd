import { describe, expect, it } from "vitest";
import { placeOf } from "../app/places";
import { held } from "./held";
import { objectsOf } from "./objects";

describe("objects of an entry", () => {
  it("names roles and marks decisions", () => {
    const found = objectsOf({
      project_id: "p",
      decision_id: "0199f0aa-1111-7abc-8def-0123456789ab",
      item_id: "AF-1",
      task_id: null,
    });
    expect(found.map(({ role, short, isDecision }) => [role, short, isDecision])).toEqual([
      ["decision", "6789ab", true],
      ["item", "AF-1", false],
    ]);
  });
  it("reads lists and leaves out what has no id", () => {
    expect(objectsOf({ label_ids: ["a", "b", ""], x_id: { deep: 1 } }).map(({ role, id }) => `${role} ${id}`)).toEqual([
      "label a",
      "label b",
    ]);
  });
});

describe("held rows", () => {
  const idOf = (n: number): number => n;
  it("shows the first answer at once", () => {
    expect(held(null, [3, 2], idOf)).toEqual({ rows: [3, 2], added: 0, gone: 0 });
    expect(held([], [3], idOf).rows).toEqual([3]);
  });
  it("keeps what is on screen and counts what waits", () => {
    expect(held([3, 2, 1], [5, 4, 3], idOf)).toEqual({ rows: [3, 2, 1], added: 2, gone: 2 });
  });
});

describe("places", () => {
  it("knows the pages of this app", () => {
    expect(placeOf("projects/medical/tasks", "p")).toEqual({ project: "medical", page: "tasks" });
    expect(placeOf("/projects/medical/journal?x=1", "p")).toEqual({ project: "medical", page: "journal" });
    expect(placeOf("tasks", "p")).toEqual({ project: "p", page: "tasks" });
    expect(placeOf("./tasks", "p")).toEqual({ project: "p", page: "tasks" });
  });
  it("links to nothing else", () => {
    for (const href of [
      "",
      "#",
      "/projects/p/models",
      "models",
      "https://x/tasks",
      "//x/tasks",
      "javascript:tasks",
      "projects/p/tasks/1",
    ]) {
      expect(placeOf(href, "p")).toBeNull();
    }
  });
});
