/** From what the server sends to what the pages show. What a server does not send yet is filled with what is true without it. */

import { type Payload, sentenceOf } from "../journal/sentence";
import { shortId } from "../words/names";
import type {
  ActorKind,
  Automation,
  Brake,
  Certificate,
  Field,
  Group,
  JournalEntry,
  JournalPage,
  Loop,
  Project,
  Stage,
  Tally,
  Task,
  TaskPage,
  Value,
} from "./contract";

const ACTORS: readonly ActorKind[] = ["person", "machine", "rule", "simulated"];
const AUTOMATION: readonly Automation[] = ["shadow", "certifying", "auto", "warned", "braked", "stopped"];
const NOTHING: Tally = { auto: 0, human: 0, blocked: 0, expired: 0, total: 0 };

function kindOf(kind: string | undefined): ActorKind {
  return ACTORS.find((known) => known === kind) ?? "machine";
}

export interface SentEntry {
  readonly index: number;
  readonly time: string;
  readonly actor: Readonly<Record<string, string>> | { readonly kind: string; readonly name: string };
  readonly verb: string;
  readonly objects: Readonly<Record<string, unknown>>;
  readonly sentence?: string;
  readonly payload?: Payload;
}

export function entryOf({ index, time, actor, verb, objects, sentence, payload }: SentEntry): JournalEntry {
  const who = { kind: kindOf(actor.kind), name: actor.name ?? "" };
  return { index, time, actor: who, verb, objects, sentence: sentence || sentenceOf(verb, payload ?? {}) };
}

export interface SentPage {
  readonly items: readonly SentEntry[];
  readonly next: number | null;
}

/** A page of the journal; a bare list of `limit` entries goes on before its last one. */
export function journalOf(sent: readonly SentEntry[] | SentPage, limit: number): JournalPage {
  if ("items" in sent) return { items: sent.items.map(entryOf), next: sent.next };
  const items = sent.map(entryOf);
  return { items, next: items.length < limit ? null : (items.at(-1)?.index ?? null) };
}

export interface SentCertificate
  extends Omit<Certificate, "labels" | "errors" | "model" | "policy" | "mode" | "groups" | "groups_apart"> {
  readonly labels: number | null;
  readonly errors: number | null;
  readonly mode: string | null;
  readonly number?: number;
  readonly model?: string;
  readonly model_id?: string;
  readonly policy?: string;
  readonly groups?: readonly Group[] | null;
  readonly groups_apart?: boolean;
}

function certificateOf(sent: SentCertificate): Certificate {
  const { number, model, model_id = "", policy = "", labels, errors, mode, groups, groups_apart = false } = sent;
  return {
    ...sent,
    id: number === undefined ? shortId(sent.id) : `C-${number}`,
    labels: labels ?? 0,
    errors: errors ?? 0,
    mode: mode ?? "",
    model: model || shortId(model_id),
    policy,
    groups: groups ?? [],
    groups_apart,
  };
}

export interface SentLoop {
  readonly project: Readonly<Record<string, string>> | Loop["project"];
  readonly as_of: string;
  readonly automation: string;
  readonly today?: Tally;
  readonly all: Tally;
  readonly stages: readonly (Omit<Stage, "href"> & { readonly href?: string })[];
  readonly certificate: SentCertificate | null;
  readonly brake: (Omit<Brake, "since"> & { readonly since?: string | null }) | null;
  readonly queue?: Loop["queue"];
  readonly open_tasks?: number;
  readonly journal_entries: number;
  readonly events: readonly SentEntry[];
}

export function loopOf(sent: SentLoop): Loop {
  const { id = "", name = "", description = "" } = sent.project;
  return {
    project: { id, name, description },
    as_of: sent.as_of,
    automation: AUTOMATION.find((known) => known === sent.automation) ?? "shadow",
    today: sent.today ?? NOTHING,
    all: sent.all,
    stages: sent.stages.map((stage) => ({ ...stage, href: stage.href ?? (stage.key === "review" ? "tasks" : "") })),
    certificate: sent.certificate === null ? null : certificateOf(sent.certificate),
    brake: sent.brake === null ? null : { ...sent.brake, since: sent.brake.since ?? null },
    queue: sent.queue ?? { open: sent.open_tasks ?? 0, claimed: 0, due: 0 },
    journal_entries: sent.journal_entries,
    events: sent.events.map(entryOf),
  };
}

export interface SentProject {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly demo?: boolean;
  readonly simulated?: string[];
}

/** A project; in a demonstration home every project is a demonstration, whatever it says itself. */
export function projectOf({ id, name, description, demo, simulated }: SentProject, isDemo: boolean): Project {
  return { id, name, description, demo: demo ?? isDemo, simulated: simulated ?? [] };
}

/** A value of an item or an answer; what is no plain value is shown as it was sent. */
export function plainValue(sent: unknown): Value {
  if (sent === null || sent === undefined) return null;
  return typeof sent === "string" || typeof sent === "number" || typeof sent === "boolean"
    ? sent
    : JSON.stringify(sent);
}

export interface SentTask extends Omit<Task, "item" | "prediction" | "own_answer"> {
  readonly own_answer?: unknown;
  readonly item: {
    readonly id: string;
    readonly name: string;
    readonly values: Readonly<Record<string, unknown>>;
  } | null;
  readonly fields: readonly Omit<Field, "value">[];
  readonly prediction: (Omit<NonNullable<Task["prediction"]>, "value"> & { readonly value?: unknown }) | null;
}

/** A claimed task. A blind one has no prediction here, whatever else was sent with it. */
export function taskOf(sent: SentTask): Task {
  const { item, prediction, fields, own_answer, ...rest } = sent;
  const sealed = sent.blind || sent.first_needed;
  return {
    ...rest,
    own_answer: plainValue(own_answer),
    reason: whyAsked(sent.reason),
    item:
      item === null
        ? null
        : {
            id: item.id,
            name: item.name,
            fields: fields.map((field) => ({ ...field, value: plainValue(item.values[field.name]) })),
          },
    prediction: prediction === null || sealed ? null : { ...prediction, value: plainValue(prediction.value) },
  };
}

export function queueOf(sent: TaskPage): TaskPage {
  return { ...sent, items: sent.items.map((task) => ({ ...task, reason: whyAsked(task.reason) })) };
}

/** `the score 0.86 is under the threshold` → `A person decides because the score 0.86 is under the threshold.` */
export function whyAsked(reason: string): string {
  return /^(the|no) /.test(reason.trim()) ? sentence(`A person decides because ${reason}`) : sentence(reason);
}

/** `no certificate is in force` → `No certificate is in force.` */
export function sentence(text: string): string {
  const said = text.trim();
  if (said === "") return "";
  const started = said.charAt(0).toUpperCase() + said.slice(1);
  return /[.!?]$/.test(started) ? started : `${started}.`;
}
