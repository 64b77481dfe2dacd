// Puts a .gz beside every text asset of the build and holds the entry script to its size budget.
// index.html is left out: the server writes the path prefix into it, so it never leaves as a file.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { constants, gzipSync } from "node:zlib";

const OUT = new URL("../../src/handrail/ui_dist/", import.meta.url).pathname;
const TEXT = new Set([".js", ".css", ".svg", ".json", ".txt"]);
const ENTRY_LIMIT = 180 * 1024;

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((found) =>
    found.isDirectory() ? filesUnder(join(folder, found.name)) : [join(folder, found.name)],
  );
}

const files = filesUnder(OUT);
const maps = files.filter((name) => name.endsWith(".map"));
if (maps.length > 0) throw new Error(`Source maps do not belong in the wheel: ${maps.join(", ")}`);

let scripts = 0;
for (const name of files.filter((file) => TEXT.has(extname(file)))) {
  // A fixed header keeps the bytes equal from build to build.
  const small = gzipSync(readFileSync(name), { level: constants.Z_BEST_COMPRESSION });
  writeFileSync(`${name}.gz`, small);
  if (name.endsWith(".js")) scripts += small.length;
}
const raw = files.reduce((sum, name) => sum + statSync(name).size, 0);
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
console.log(`ui_dist: ${files.length} files, ${kib(raw)}; scripts ${kib(scripts)} gz, limit ${kib(ENTRY_LIMIT)}`);
if (scripts > ENTRY_LIMIT) throw new Error("The scripts are larger than their budget.");
