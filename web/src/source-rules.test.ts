import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SOURCES = fileURLToPath(new URL(".", import.meta.url));

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((found) =>
    found.isDirectory() ? filesUnder(join(folder, found.name)) : [join(folder, found.name)],
  );
}

const files = filesUnder(SOURCES).map((path) => ({ name: relative(SOURCES, path), text: readFileSync(path, "utf8") }));
const code = files.filter(({ name }) => /\.tsx?$/.test(name) && !/\.test\.ts$|\.d\.ts$/.test(name));
const styles = files.filter(({ name }) => name.endsWith(".css"));

function holding(pattern: RegExp, among = code): string[] {
  return among.filter(({ text }) => pattern.test(text)).map(({ name }) => name);
}

describe("rules of the sources", () => {
  it("finds the sources", () => {
    expect(code.length).toBeGreaterThan(30);
    expect(styles.length).toBeGreaterThan(4);
  });
  it("keeps every look in the style sheets, as a strict content policy asks", () => {
    expect(holding(/\bstyle=/)).toEqual([]);
    expect(holding(/\.style\.|setAttribute\("style"/)).toEqual([]);
    expect(holding(/dangerouslySetInnerHTML|innerHTML|\beval\(|new Function\(/)).toEqual([]);
  });
  it("names colours in tokens.css only", () => {
    const colour = /#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch)a?\(/i;
    expect(
      holding(
        colour,
        styles.filter(({ name }) => name !== "kit/tokens.css"),
      ),
    ).toEqual([]);
    expect(holding(/["'`]#[0-9a-f]{3,8}["'`]/i)).toEqual([]);
  });
  it("uses only tokens that exist", () => {
    const tokens = files.find(({ name }) => name === "kit/tokens.css")?.text ?? "";
    const known = new Set(Array.from(tokens.matchAll(/(--[a-z0-9-]+):/g), (found) => found[1]));
    const used = styles.flatMap(({ text }) => Array.from(text.matchAll(/var\((--[a-z0-9-]+)/g), (found) => found[1]));
    expect(used.filter((name) => !known.has(name))).toEqual([]);
  });
  it("gives light and dark the same colour names", () => {
    const tokens = files.find(({ name }) => name === "kit/tokens.css")?.text ?? "";
    const names = (block: string): string[] =>
      Array.from(block.matchAll(/(--[a-z0-9-]+):/g), (found) => found[1] ?? "").sort();
    const [light, dark, chosen] = Array.from(tokens.matchAll(/\{\s*color-scheme: (?:light|dark);([^}]*)\}/g), (found) =>
      names(found[1] ?? ""),
    );
    expect(light?.length).toBeGreaterThan(60);
    expect(dark).toEqual(light);
    expect(chosen).toEqual(light);
  });
  it("talks to the server in one module", () => {
    expect(holding(/\bfetch\(|XMLHttpRequest|createClient/)).toEqual([join("api", "client.ts")]);
    expect(holding(/https?:\/\//).filter((name) => name !== join("api", "address.ts"))).toEqual([]);
  });
  it("keeps files short", () => {
    expect(
      files.filter(
        ({ name, text }) => /\.(tsx?|css)$/.test(name) && !name.endsWith(".d.ts") && text.split("\n").length > 400,
      ),
    ).toEqual([]);
  });
});
