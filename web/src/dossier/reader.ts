/** A dossier in the order and the words of its reader: who decided what and why, before ids and settings. Pure. */

import type { Contribution, Field, StateName } from "../api/contract";
import { plainValue, sentence } from "../api/shape";
import { humanised } from "../words/names";
import { isJson, type Json } from "./cell";

/** How a decision stands, as a state with its word. */
export interface Outcome {
  readonly state: StateName;
  readonly text: string;
  readonly said: string; // one sentence: what was decided by whom, and why
}

const STATES: Readonly<Record<string, readonly [StateName, string]>> = {
  auto: ["auto", "automatic"],
  pending: ["pending", "waits for a person"],
  decided: ["decided", "decided"],
  blocked: ["blocked", "blocked"],
  expired: ["expired", "expired"],
  reversed: ["warned", "reversed"],
};

const HEADS: Readonly<Record<string, string>> = {
  auto: "Decided automatically",
  pending: "Not decided yet: a person is asked",
  decided: "Decided by a person",
  blocked: "Blocked",
  expired: "Expired without an answer",
  reversed: "Reversed by a person",
};

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string" && one !== "") : [];
}

function part(dossier: Json, key: string): Json {
  const found = dossier[key];
  return isJson(found) ? found : {};
}

function rows(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isJson) : [];
}

/** Why it went this way, as told then; empty when the dossier does not say. */
export function whyOf(dossier: Json): string {
  return texts(dossier.reasons).join("; ");
}

export function outcomeOf(dossier: Json): Outcome {
  const { by, status, value } = part(dossier, "decision");
  const code = typeof status === "string" ? status : "";
  const [state, text] = STATES[code] ?? ["pending", code === "" ? "state not known" : humanised(code).toLowerCase()];
  const answer = plainValue(value);
  const simulated = typeof by === "string" && by.startsWith("simulated:");
  const who = (HEADS[code] ?? text).replace("by a person", simulated ? "by a simulated person" : "by a person");
  const head = who + (answer === null || answer === "" ? "" : `: ${answer}`);
  const why = whyOf(dossier);
  const people = code === "decided" || code === "reversed";
  if (why === "") return { state, text, said: sentence(head) };
  return { state, text, said: `${sentence(head)} ${people ? `A person was asked because ${why}.` : sentence(why)}` };
}

/** Who decided, as an actor or in words: the decision itself names an id only. */
function decidedBy(dossier: Json): unknown {
  const { by, status } = part(dossier, "decision");
  const [kind = ""] = typeof by === "string" ? by.split(":") : [];
  if (status === "pending") return null;
  if (kind === "policy") return `policy version ${String(part(dossier, "policy").version ?? "")}`.trim();
  const answers = rows(dossier.work).map((task) => part(task, "answer"));
  const last = answers.reverse().find((answer) => isJson(answer.by) && answer.by.kind === kind);
  return last?.by ?? by;
}

function without(object: Json, ...keys: readonly string[]): Json {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

/** What the caller asked for beside the answer is told where it was asked for: most decisions have none of it. */
const ASKED_FOR: Readonly<Record<string, unknown>> = {
  deadline: null,
  on_deadline: "hold",
  irreversible: false,
  risk_class: null,
  cost: null,
  action_hash: null,
  eyes: 1,
};

function said(facts: Json): Json {
  return Object.fromEntries(
    Object.entries(facts).filter(([key, value]) => !(key in ASKED_FOR) || ASKED_FOR[key] !== value),
  );
}

function decisionOf(dossier: Json): Json {
  const { question, value, score, created_at, decided_at, audit_probability, id, ...others } = part(
    dossier,
    "decision",
  );
  return {
    question,
    item_id: part(dossier, "item").id,
    answer: value,
    decided_by: decidedBy(dossier),
    score,
    arrived: created_at,
    decided_at,
    audit_probability,
    ...said(without(others, "status", "route", "by")),
    id,
  };
}

/** One task a row: what was asked, and what became of it. */
function taskOf(task: Json, why: string): Json {
  const { kind, status, reason, blind, opened_at, answer, ...others } = task;
  const given = isJson(answer) ? answer : {};
  const { verb, value, by, at, reason: because, ...more } = given;
  return {
    task: blind === true ? `${String(kind)}, answered blind` : kind,
    asked_because: reason === why ? "" : reason,
    opened_at,
    verdict: verb ?? status,
    answer: value,
    by,
    answered: at,
    reason_given: because,
    ...more,
    ...others,
  };
}

const REWRITTEN: Readonly<Record<string, (held: Json) => Json>> = {
  prediction: predictionOf,
  model: modelOf,
  policy: (held) => opened(held, "document"),
  certificate: (held) => without(held, "id"),
};

/** The parts of the dossier with their facts in reading order; a part or a fact that is not known here is kept. */
export function readable(dossier: Json): Json {
  const hasFields = fieldsOf(dossier).length > 0; // they have a table of their own, and the name is the page's title
  const others = hasFields ? ["decision", "reasons", "item"] : ["decision", "reasons"];
  const parts = Object.entries(without(dossier, ...others)).map(([key, held]) => {
    if (key === "work") return [key, rows(held).map((task) => taskOf(task, whyOf(dossier)))] as const;
    const rewrite = REWRITTEN[key];
    return [key, rewrite !== undefined && isJson(held) ? rewrite(held) : held] as const;
  });
  return { decision: decisionOf(dossier), ...Object.fromEntries(parts) };
}

/** The answer, then the score of each answer that was possible; what moved the score stands beside the fields. */
function predictionOf(held: Json): Json {
  const { value, score, scores, ...others } = without(held, "top");
  const all = isJson(scores) ? scores : {};
  const named = Object.fromEntries(Object.entries(all).map(([answer, share]) => [`score_for_${answer}`, share]));
  return { answer: value, ...(Object.keys(named).length > 0 ? named : { score }), ...others };
}

function opened(object: Json, ...keys: readonly string[]): Json {
  const inner = keys.map((key) => part(object, key));
  return { ...without(object, ...keys), ...Object.assign({}, ...inner) };
}

/** The card repeats the metrics, the fields and the digest; what it adds is kept. */
function modelOf(model: Json): Json {
  const card = without(part(model, "card"), "metrics", "digest", "fields", "question");
  const data = without(part(card, "data"), "commit");
  const { accuracy, method, ...metrics } = part(model, "metrics");
  return {
    name: model.name,
    accuracy,
    measured_by: method,
    ...without(metrics, "rows"),
    ...data,
    ...without(card, "data"),
    ...without(model, "name", "card", "metrics", "id"),
  };
}

/** The values of the item as fields, in the order the model knows them by. */
export function fieldsOf(dossier: Json): readonly Field[] {
  const values = part(dossier, "item").fields;
  if (!isJson(values)) return [];
  const known = texts(part(part(dossier, "model"), "card").fields);
  const place = (name: string): number => (known.includes(name) ? known.indexOf(name) : known.length);
  return Object.entries(values)
    .sort(([a], [b]) => place(a) - place(b))
    .map(([name, value]) => ({
      name,
      title: name,
      unit: null,
      value: plainValue(value),
      reference_low: null,
      reference_high: null,
    }));
}

/** What moved the score: `[["worst area", 1.63], ...]`. */
export function movesOf(dossier: Json): readonly Contribution[] {
  const { top } = part(dossier, "prediction");
  if (!Array.isArray(top)) return [];
  return top.flatMap((one: unknown) =>
    Array.isArray(one) && typeof one[0] === "string" && typeof one[1] === "number"
      ? [{ feature: one[0], contribution: one[1] }]
      : [],
  );
}

/** The answer the model gave, in words; empty when no model answered. */
export function modelAnswerOf(dossier: Json): string {
  return String(plainValue(part(dossier, "prediction").value) ?? "");
}
