/** One value of a dossier as it is read: a text, a number, an estimate with its interval, an actor, a code, or what is missing. */

import { humanised, shortDigest, shortId } from "../words/names";
import { measured, percentShort, percentWithInterval } from "../words/number";
import { type Clockwork, momentExact, readTime } from "../words/time";

export type Json = Readonly<Record<string, unknown>>;

export type Cell =
  | { readonly is: "text" | "number"; readonly text: string }
  | { readonly is: "missing"; readonly text: string }
  | { readonly is: "code"; readonly text: string; readonly whole: string }
  | { readonly is: "actor"; readonly kind: string; readonly name: string; readonly text: string };

const MISSING: Cell = { is: "missing", text: "none" };
const ACTORS = new Set(["person", "machine", "rule", "simulated"]);

/** Words of the API that a reader of a dossier would not know. */
const TERMS: Readonly<Record<string, string>> = {
  accuracy: "Right in cross-validation",
  alpha: "Highest error allowed",
  "answer.at": "Answered",
  "answer.by": "By",
  "answer.reason": "Reason given",
  "answer.value": "Answer",
  "answer.verb": "Verdict",
  audit_probability: "Chance of an audit",
  audit_rate: "Share that is audited",
  at: "Time",
  blind: "Answered blind",
  brake_delta: "Chance of a false stop",
  brake_lifetime: "Audits the brake is made for",
  brier: "Brier score, 0 is best",
  certificate_mode: "Test of the certificate",
  certify_labels: "Labels for a certificate",
  certify_automate: "Share to automate with a new model",
  certify_share: "Share drawn for a certificate",
  commit: "Dataset commit",
  commit_id: "Dataset commit",
  consumed_at: "Acted on",
  consumed_by: "Acted on by",
  caller: "Their name for it",
  acknowledge_by: "To be acknowledged by",
  delta: "Chance that the certificate is wrong",
  external_id: "Name",
  eyes: "People who must agree",
  item_id: "Item",
  log_loss: "Log loss, 0 is best",
  opened_at: "Opened",
  retrain_after: "Verdicts that start a training",
  reviewer_error: "Error of reviewers that is allowed for",
  rows: "Labels",
  second_look: "Second person and the AI answer",
  seed: "Random seed",
  simulated_labels: "Labels from simulated people",
  top: "What moved the score",
};

/** Facts that are shares: read as per cent. */
const SHARES = new Set([
  "alpha",
  "audit_probability",
  "audit_rate",
  "brake_delta",
  "certify_share",
  "delta",
  "reviewer_error",
]);

export function isKnown(key: string): boolean {
  return key in TERMS;
}

export function termOf(key: string): string {
  return TERMS[key] ?? humanised(key);
}

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTime(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) && readTime(text) !== null;
}

function textCell(text: string, when: Clockwork): Cell {
  if (text === "") return MISSING;
  const at = isTime(text) ? readTime(text) : null;
  if (at !== null) return { is: "text", text: momentExact(at, when) };
  const short = shortDigest(shortId(text));
  return short === text ? { is: "text", text } : { is: "code", text: short, whole: text };
}

function joined(parts: readonly string[]): Cell {
  if (parts.length === 0) return MISSING;
  const sentences = parts.every((part) => /[.!?]$/.test(part));
  return { is: "text", text: parts.join(sentences ? " " : ", ") };
}

function actorOf({ kind, name }: Json): Cell | null {
  if (typeof kind !== "string" || !ACTORS.has(kind) || typeof name !== "string") return null;
  return { is: "actor", kind, name, text: name };
}

function estimateOf({ value, low, high, n }: Json): Cell | null {
  if (![value, low, high, n].every((one) => typeof one === "number")) return null;
  const text = percentWithInterval({ value: Number(value), low: Number(low), high: Number(high), n: Number(n) });
  return { is: "text", text };
}

/** An object that reads as one thing: an actor, or an estimate with its interval. */
export function oneThing(value: Json): Cell | null {
  return actorOf(value) ?? estimateOf(value);
}

function objectCell(value: Json, when: Clockwork): Cell {
  return (
    oneThing(value) ??
    joined(Object.entries(value).map(([key, one]) => `${termOf(key).toLowerCase()} ${cellOf(one, when).text}`))
  );
}

/** A fact by its key: shares are written as per cent, zero verdicts that start a training as never. */
export function factOf(key: string, value: unknown, when: Clockwork): Cell {
  if (SHARES.has(key) && typeof value === "number") return { is: "number", text: percentShort(value) };
  if (key === "retrain_after" && value === 0) return { is: "text", text: "none, a person starts it" };
  const cell = cellOf(value, when);
  const level = isJson(value) && estimateOf(value) !== null ? value.level : null;
  return typeof level === "number" ? { is: "text", text: `${cell.text}, ${percentShort(level)} interval` } : cell;
}

/** The same in a column, where the interval has no room to be named. */
export function columnFactOf(key: string, value: unknown, when: Clockwork): Cell {
  return isJson(value) ? cellOf(value, when) : factOf(key, value, when);
}

export function cellOf(value: unknown, when: Clockwork): Cell {
  if (typeof value === "boolean") return { is: "text", text: value ? "yes" : "no" };
  if (typeof value === "number") return { is: "number", text: measured(value) };
  if (typeof value === "string") return textCell(value, when);
  if (Array.isArray(value)) return joined(value.map((one) => cellOf(one, when).text));
  return isJson(value) ? objectCell(value, when) : MISSING;
}
