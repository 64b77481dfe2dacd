/** What a sign-off task shows: the candidate against the champion, read from the payload without trusting its shape. */

import { count, decimalsFor, type Estimate, fixed, percentWithInterval, range, signed } from "../words/number";

type Unknown = Readonly<Record<string, unknown>>;

function record(value: unknown): Unknown | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Unknown) : null;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function estimate(value: unknown): Estimate | null {
  const found = record(value);
  const [at, low, high, n] = [found?.value, found?.low, found?.high, found?.n].map(number);
  return at == null || low == null || high == null ? null : { value: at, low, high, n: n ?? 0 };
}

export interface Line {
  readonly name: string;
  readonly champion: string;
  readonly challenger: string;
}

export interface Proposal {
  readonly summary: string;
  readonly level: number | null; // of the intervals, 0.95 for 95 %
  readonly model: string;
  readonly champion: string | null;
  readonly lines: readonly Line[];
  readonly difference: string;
  readonly facts: readonly { readonly term: string; readonly fact: string }[];
  readonly codes: readonly { readonly term: string; readonly code: string }[]; // ids and digests, whole
}

const NOT_MEASURED = "not measured";

function share(value: unknown): string {
  const found = estimate(value);
  return found === null ? NOT_MEASURED : percentWithInterval(found);
}

function exactP(p: number): string {
  return p < 0.001 ? "under 0.001" : fixed(p, 3);
}

/** "+1.2 points (−0.4 to 2.8)": the challenger minus the champion. */
export function points(value: unknown): string {
  const found = estimate(value);
  if (found === null) return NOT_MEASURED;
  const decimals = decimalsFor((found.high - found.low) * 100);
  return `${signed(found.value * 100, decimals)} points (${range(found.low * 100, found.high * 100, decimals)})`;
}

function linesOf(payload: Unknown): readonly Line[] {
  const comparison = record(payload.comparison);
  if (comparison === null) {
    return [
      {
        name: "Right on held-out items",
        champion: NOT_MEASURED,
        challenger: share(record(payload.evaluation)?.accuracy),
      },
      {
        name: "Right in cross-validation",
        champion: NOT_MEASURED,
        challenger: share(record(payload.cross_validation)?.accuracy),
      },
    ];
  }
  const only = (value: unknown): string => {
    const n = number(value);
    return n === null ? NOT_MEASURED : count(n);
  };
  return [
    {
      name: "Right on the same held-out items",
      champion: share(comparison.champion_accuracy),
      challenger: share(comparison.challenger_accuracy),
    },
    {
      name: "Items only this one got right",
      champion: only(comparison.only_champion),
      challenger: only(comparison.only_challenger),
    },
  ];
}

function factsOf(payload: Unknown): Proposal["facts"] {
  const model = record(payload.model);
  const comparison = record(payload.comparison);
  const rows = number(model?.rows);
  const held = number(comparison?.rows) ?? number(record(payload.evaluation)?.rows);
  const p = number(comparison?.p_value);
  return [
    { term: "Trained on", fact: rows === null ? "" : `${count(rows)} labels` },
    { term: "Held-out items", fact: held === null ? "" : count(held) },
    { term: "McNemar's exact test", fact: p === null ? "" : `p = ${exactP(p)}` },
    { term: "Note", fact: text(model?.note) },
  ].filter(({ fact }) => fact !== "");
}

function levelOf(payload: Unknown): number | null {
  const stated = [
    record(payload.comparison)?.challenger_accuracy,
    record(payload.evaluation)?.accuracy,
    record(payload.cross_validation)?.accuracy,
  ];
  return stated.map((value) => number(record(value)?.level)).find((level) => level !== null) ?? null;
}

/** Reads the payload of a sign-off task; every part may be missing and then says "not measured". */
export function proposalOf(payload: Unknown): Proposal {
  const comparison = record(payload.comparison);
  const model = record(payload.model);
  const champion = record(payload.champion);
  return {
    summary: text(payload.summary) || text(comparison?.sentence),
    level: levelOf(payload),
    model: text(model?.name) || text(model?.id) || "the candidate",
    champion: champion === null ? null : text(champion.name) || text(champion.id),
    lines: linesOf(payload),
    difference: comparison === null ? "" : points(comparison.difference),
    facts: factsOf(payload),
    codes: [
      { term: "Dataset commit", code: text(model?.commit_id) },
      { term: "Model digest", code: text(model?.digest) },
    ].filter(({ code }) => code !== ""),
  };
}
