import { describe, expect, it } from "vitest";
import { apiRoot, basePath, safeNext } from "./address";
import { ApiError, headline, readProblem, toProblem, UNREACHABLE } from "./problem";
import { uuid } from "./token";

describe("address", () => {
  it("finds the path prefix from the base address", () => {
    expect(basePath("https://host/")).toBe("/");
    expect(basePath("https://host/review/")).toBe("/review");
    expect(basePath("https://host/a/b/")).toBe("/a/b");
    expect(apiRoot("https://host/review/")).toBe("https://host/review");
    expect(apiRoot("http://127.0.0.1:8000/")).toBe("http://127.0.0.1:8000");
  });
  it("goes back only to a path of this app", () => {
    expect(safeNext("/projects/p/tasks")).toBe("/projects/p/tasks");
    for (const bad of [
      "//evil.example",
      "https://evil.example",
      "/\\evil.example",
      "javascript:alert(1)",
      "/\t/evil",
      "",
      undefined,
      3,
    ]) {
      expect(safeNext(bad)).toBe("/");
    }
    expect(safeNext("/sign-in?next=/")).toBe("/");
  });
});

describe("problem", () => {
  it("reads every part of problem+json", () => {
    const body = {
      type: "about:blank",
      title: "Conflict",
      status: 409,
      code: "tasks.claimed",
      detail: "A. Brandt has this task.",
      hint: "Take the next one.",
    };
    expect(readProblem(409, body)).toEqual({
      status: 409,
      code: "tasks.claimed",
      title: "Conflict",
      detail: "A. Brandt has this task.",
      hint: "Take the next one.",
    });
  });
  it("still says something when the body is not a problem", () => {
    expect(readProblem(502, "<html>").code).toBe("http.502");
    expect(readProblem(422, { detail: [{ msg: "x" }] }).detail).toBe("");
  });
  it("tells a lost connection from an error of this page", () => {
    expect(toProblem(new ApiError(UNREACHABLE)).code).toBe("server.unreachable");
    expect(toProblem(new RangeError("x")).code).toBe("ui.unexpected");
    const problem = readProblem(404, { title: "Not found", code: "tasks.unknown" });
    expect(toProblem(new ApiError(problem))).toBe(problem);
  });
  it("leads with the sentence that says what happened", () => {
    expect(headline(readProblem(409, { title: "Conflict", detail: "A. Brandt has this task." })).head).toBe(
      "A. Brandt has this task.",
    );
    expect(headline(readProblem(500, { title: "Broken" })).head).toBe("Broken");
  });
});

describe("uuid", () => {
  it("sets version and variant", () => {
    expect(uuid((bytes) => bytes.fill(0xff))).toBe("ffffffff-ffff-4fff-bfff-ffffffffffff");
    expect(new Set(Array.from({ length: 50 }, () => uuid())).size).toBe(50);
  });
});
