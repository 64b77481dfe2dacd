/** Turns the dossier of a decision, a JSON document, into sections of facts and tables. It shows every part, also one it does not know. */

import type { Clockwork } from "../words/time";
import { type Cell, cellOf, columnFactOf, factOf, isJson, isKnown, type Json, oneThing, termOf } from "./cell";

export interface Fact {
  readonly term: string;
  readonly cell: Cell;
}

export interface Column {
  readonly title: string;
  readonly isNumber: boolean;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface Section {
  readonly key: string;
  readonly title: string;
  readonly facts: readonly Fact[];
  readonly tables: readonly Table[];
  readonly note: string; // said when the section is empty
}

/** The order in which a reader asks: what was decided, why, about what, by which model and rules, and who looked at it. */
const ORDER = [
  "decision",
  "reasons",
  "work",
  "tasks",
  "execution",
  "item",
  "prediction",
  "certificate",
  "model",
  "policy",
  "commit",
];

const TITLES: Readonly<Record<string, string>> = {
  reasons: "Why it went this way",
  execution: "What followed",
  work: "Tasks and answers",
  tasks: "Tasks and answers",
  prediction: "AI answer",
  commit: "Dataset commit",
};

/** Said when a part is there but empty. */
const NOTES: Readonly<Record<string, string>> = {
  certificate: "No certificate was in force when this was decided.",
  execution: "Nobody has acted on this decision yet.",
  work: "No person was asked.",
  tasks: "No person was asked.",
  prediction: "No model answered.",
  model: "No model answered.",
};

/** Journal entries with their proofs have a table of their own. */
const ELSEWHERE = new Set(["entries"]);

function isRows(value: unknown): value is readonly Json[] {
  return Array.isArray(value) && value.length > 0 && value.every(isJson);
}

/** `[["worst area", 1.63], ...]`: names with numbers. */
function isPairs(value: unknown): value is readonly (readonly [string, number])[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every(
      (one) => Array.isArray(one) && one.length === 2 && typeof one[0] === "string" && typeof one[1] === "number",
    )
  );
}

/** `{benign: {...}, malignant: {...}}`: the same facts about several names. */
function isByName(value: unknown): value is Readonly<Record<string, Json>> {
  const parts = isJson(value) ? Object.values(value) : [];
  return parts.length > 1 && parts.every((part) => isJson(part) && oneThing(part) === null);
}

/** `{answer: {verb: "approve"}}` becomes `{"answer.verb": "approve"}`, so that each fact has a column. */
function flat(row: Json): Json {
  return Object.fromEntries(
    Object.entries(row).flatMap(([key, value]) =>
      isJson(value) && oneThing(value) === null
        ? Object.entries(value).map(([inner, one]) => [`${key}.${inner}`, one] as const)
        : [[key, value] as const],
    ),
  );
}

function columnTitle(key: string): string {
  if (isKnown(key)) return termOf(key);
  const [outer = "", inner] = key.split(".");
  return inner === undefined ? termOf(outer) : `${termOf(outer)}, ${termOf(inner).toLowerCase()}`;
}

function tableOf(title: string, sent: readonly Json[], when: Clockwork): Table {
  const rows = sent.map(flat);
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((key) =>
    rows.some((row) => row[key] !== null && row[key] !== undefined && row[key] !== ""),
  );
  return {
    title,
    columns: keys.map((key) => ({
      title: columnTitle(key),
      isNumber: rows.some((row) => typeof row[key] === "number"),
    })),
    rows: rows.map((row) => keys.map((key) => columnFactOf(key, row[key], when))),
  };
}

/** Any list or object that reads best as a table; null for everything else. */
function asTable(title: string, value: unknown, when: Clockwork): Table | null {
  if (isRows(value)) return tableOf(title, value, when);
  if (isPairs(value))
    return tableOf(
      title,
      value.map(([feature, contribution]) => ({ feature, contribution })),
      when,
    );
  if (isByName(value))
    return tableOf(
      title,
      Object.entries(value).map(([name, facts]) => ({ name, ...facts })),
      when,
    );
  return null;
}

interface Parts {
  readonly facts: readonly Fact[];
  readonly tables: readonly Table[];
}

const EMPTY: Parts = { facts: [], tables: [] };

function together(parts: readonly Parts[]): Parts {
  return { facts: parts.flatMap(({ facts }) => facts), tables: parts.flatMap(({ tables }) => tables) };
}

/** The facts of one object; an object inside it is opened once ("Metrics, accuracy"), lists of objects become tables. */
function partsOf(object: Json, when: Clockwork, outer = ""): Parts {
  return together(
    Object.entries(object).map(([key, value]): Parts => {
      const term = outer === "" ? termOf(key) : `${termOf(outer)}, ${termOf(key).toLowerCase()}`;
      const table = asTable(term, value, when);
      if (table !== null) return { facts: [], tables: [table] };
      const opens = outer === "" && isJson(value) && Object.keys(value).length > 0 && oneThing(value) === null;
      return opens ? partsOf(value, when, key) : { facts: [{ term, cell: factOf(key, value, when) }], tables: [] };
    }),
  );
}

function contentOf(value: unknown, when: Clockwork): Parts {
  const table = Array.isArray(value) ? asTable("", value, when) : null;
  if (table !== null) return { facts: [], tables: [table] };
  if (Array.isArray(value))
    return { facts: value.map((one, index) => ({ term: String(index + 1), cell: cellOf(one, when) })), tables: [] };
  return isJson(value) ? partsOf(value, when) : EMPTY;
}

function sectionOf(key: string, value: unknown, when: Clockwork): Section {
  const parts = contentOf(value, when);
  const isEmpty = parts.facts.length === 0 && parts.tables.length === 0;
  return { key, title: TITLES[key] ?? termOf(key), ...parts, note: isEmpty ? (NOTES[key] ?? "None.") : "" };
}

function place(key: string): number {
  const found = ORDER.indexOf(key);
  return found === -1 ? ORDER.length : found;
}

function isPart(key: string, value: unknown): boolean {
  return isJson(value) || Array.isArray(value) || key in NOTES;
}

/** Every part of the dossier as a section, in reading order; single values of the top level join the decision. */
export function sectionsOf(dossier: Json, when: Clockwork): readonly Section[] {
  const shown = Object.entries(dossier).filter(([key]) => !ELSEWHERE.has(key));
  const own = shown
    .filter(([key, value]) => !isPart(key, value))
    .map(([key, value]) => ({ term: termOf(key), cell: cellOf(value, when) }));
  const sections = shown
    .filter(([key, value]) => isPart(key, value))
    .map(([key, value]) => sectionOf(key, value, when))
    .sort((a, b) => place(a.key) - place(b.key));
  if (own.length === 0) return sections;
  const first = sections.find(({ key }) => key === "decision");
  if (first === undefined)
    return [{ key: "decision", title: "Decision", facts: own, tables: [], note: "" }, ...sections];
  return sections.map((section) =>
    section === first ? { ...first, facts: [...own, ...first.facts], note: "" } : section,
  );
}

/** The name of the item a dossier is about, for the title of the page; empty when it does not say. */
export function itemNameOf(dossier: Json): string {
  const item = isJson(dossier.item) ? dossier.item : {};
  const found = [dossier.item_name, item.name, item.external_id].find(
    (name) => typeof name === "string" && name !== "",
  );
  return typeof found === "string" ? found : "";
}
