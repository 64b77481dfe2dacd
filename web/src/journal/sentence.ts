/** What an entry of the journal says, as a phrase that follows the actor's name. Made from its verb and payload. */

import { humanised } from "../words/names";
import { count, counted, fixed, percentShort } from "../words/number";

export type Payload = Readonly<Record<string, unknown>>;

function text(value: unknown): string {
  return typeof value === "string"
    ? value.trim()
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : "";
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function many(value: unknown, one: string, several?: string): string {
  return counted(number(value) ?? 0, one, several);
}

/** `20260913` → `13 Sep 2026`: days of a stream are numbers in the journal. */
export function dayText(value: unknown): string {
  const found = /^(\d{4})(\d\d)(\d\d)$/.exec(text(value));
  if (found === null) return text(value);
  const month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][
    Number(found[2]) - 1
  ];
  return month === undefined ? text(value) : `${Number(found[3])} ${month} ${found[1]}`;
}

function because(payload: Payload, key = "reason"): string {
  const said = text(payload[key]);
  return said === "" ? "" : `: ${said}`;
}

function score(payload: Payload): string {
  const found = number(payload.score);
  return found === null ? "" : `, score ${fixed(found, 3)}`;
}

function decided(payload: Payload): string {
  const reasons = Array.isArray(payload.reasons) ? payload.reasons.map(text).filter(Boolean).join("; ") : "";
  if (payload.route === "auto") return `decided automatically: ${text(payload.value)}${score(payload)}`;
  const to = payload.route === "blocked" ? "blocked an item" : "sent an item to people";
  return reasons === "" ? to : `${to}: ${reasons}`;
}

const VERDICTS: Readonly<Record<string, string>> = {
  approve: "approved the AI answer",
  correct: "corrected the AI answer",
  label: "answered",
  reject: "rejected an item",
  override: "overrode the AI answer",
  escalate: "escalated a review",
  abstain: "could not say",
  reverse: "reversed a decision",
  skip_ai: "asked to answer without the AI answer",
};

function verdict(payload: Payload): string {
  const value = text(payload.value);
  const said = VERDICTS[text(payload.verdict)] ?? `gave a verdict, ${text(payload.verdict)}`;
  return value === "" ? said : `${said}: ${value}`;
}

/** The answer to a task; the verdict on a decision that follows from it is an entry of its own. */
const ANSWERS: Readonly<Record<string, string>> = {
  approve: "answered a task",
  correct: "answered a task",
  label: "answered a task",
  abstain: "answered a task: cannot say",
  escalate: "escalated a task",
  skip_ai: "asked to answer without the AI answer",
  sign: "signed",
  refuse: "refused to sign",
};

function answered(payload: Payload): string {
  const value = text(payload.value);
  const said = ANSWERS[text(payload.answer)] ?? `answered, ${text(payload.answer)}`;
  return value === "" || value === payload.answer ? said : `${said}: ${value}`;
}

function limits(payload: Payload): string {
  const alpha = number(payload.alpha);
  return alpha === null ? "" : ` at ${percentShort(alpha)} error`;
}

function planned(payload: Payload): string {
  const share = number(payload.automate);
  const what = share === null ? `from ${many(payload.labels, "label")}` : `to automate ${percentShort(share)}`;
  return `planned a certificate${limits(payload)} ${what}`;
}

const DEADLINES: Readonly<Record<string, string>> = {
  default: "gave the default answer: nobody answered in time",
  deny: "let a decision expire: nobody answered in time",
  escalate: "sent a decision to a lead: nobody answered in time",
  hold: "let a decision wait on: nobody answered in time",
};

function deadline(payload: Payload): string {
  return DEADLINES[text(payload.then)] ?? "nobody answered in time";
}

function policy(payload: Payload): string {
  const lowered = Array.isArray(payload.loosens) ? payload.loosens.map(text).filter(Boolean) : [];
  const said = `put policy version ${text(payload.version)} into force`;
  return lowered.length === 0 ? said : `${said}, knowing that it lowers: ${lowered.join("; ")}`;
}

function reversed(payload: Payload): string {
  const now = text(payload.new);
  return now === ""
    ? `took a decision back: ${text(payload.old)}${because(payload)}`
    : `reversed a decision: ${now}, not ${text(payload.old)}${because(payload)}`;
}

function texts(value: unknown): string {
  return Array.isArray(value) ? value.map(text).filter(Boolean).join(", ") : text(value);
}

type Phrase = (payload: Payload) => string;

const PHRASES: Readonly<Record<string, Phrase>> = {
  "annotate.campaign_closed": (p) => `closed a campaign after ${many(p.answered, "answer")}`,
  "annotate.campaign_opened": (p) => `opened a campaign for ${many(p.target, "label")}${because(p)}`,
  "annotate.drawn": (p) => `drew ${count(number(p.drawn) ?? 0)} of ${many(p.among, "item")} for people, by lot`,
  "annotate.passed_on": () => "passed a drawn item on to another person",
  "datasets.branch_made": (p) => `made branch ${text(p.name)}`,
  "datasets.commit_made": (p) =>
    `made a commit on ${text(p.branch)}, ${many(p.labels, "label")} of ${many(p.items, "item")}${because(p, "message")}`,
  "datasets.items_added": (p) => `added ${many(p.added, "item")}`,
  "datasets.label_set": (p) => `set a label: ${text(p.value)}`,
  "datasets.labels_imported": (p) => `imported ${many(p.labels, "label")}`,
  "datasets.project_made": (p) => `made project ${text(p.name)}`,
  "datasets.tag_made": (p) => `made tag ${text(p.name)}`,
  "evaluate.evaluated": (p) => `evaluated a model on ${many(p.rows, "held-out item")}`,
  "evaluate.proposed": () => "proposed a model for signature",
  "evaluate.refused": (p) => `refused the promotion of a model${because(p)}`,
  "evaluate.signed": (p) => `signed the promotion of a model${because(p)}`,
  "feedback.verdicts_committed": (p) => `committed ${many(p.verdicts, "verdict")}`,
  "monitor.alarm_answered": () => "answered an alarm with a campaign",
  "monitor.alarm_raised": (p) => `raised an alarm${because(p, "sentence")}`,
  "monitor.day_over": (p) => `closed ${dayText(p.day)}`,
  "monitor.day_profiled": (p) =>
    `profiled ${dayText(p.day)}: ${many(p.decisions, "decision")}, ${count(number(p.to_people) ?? 0)} to people`,
  "review.audited": (p) => `audited an automatic decision: ${p.wrong === true ? "wrong" : "right"}`,
  "review.certificate_ended": (p) => `ended the certificate${because(p, "why")}`,
  "review.certificate_issued": () => "issued a certificate",
  "review.certificate_planned": planned,
  "review.certificate_ready": () => "had every label of the planned certificate",
  "review.certificate_refused": (p) =>
    number(p.needed) === null
      ? "refused a certificate"
      : `refused a certificate, ${many(p.needed, "more label")} needed`,
  "review.consumed": (p) => `acted on a decision as ${text(p.caller)}: ${text(p.value)}`,
  "review.deadline_passed": deadline,
  "review.decided": decided,
  "review.group_braked": (p) => `stopped ${texts(p.groups)} alone; the rest goes on${because(p, "why")}`,
  "review.incident_opened": (p) => `opened an incident${because(p, "why")}`,
  "review.policy_activated": policy,
  "review.second_look_asked": () => "asked a second person, who is not told what the first said",
  "review.looks_differ": () => "said something else than the first person: a lead settles it",
  "review.reversal_acknowledged": (p) => `acknowledged that a decision was taken back${because(p, "note")}`,
  "review.reversed": reversed,
  "review.control_answered": (p) =>
    `answered a control item, an audit of known truth: ${humanised(text(p.outcome)).toLowerCase()}`,
  "review.audit_overdue": () => "found an audit without a verdict when it was due and handed it on",
  "review.seed_answered": (p) => `answered a seed, a case of known truth: ${humanised(text(p.outcome)).toLowerCase()}`,
  "review.state_changed": (p) => `changed automation from ${text(p.old)} to ${text(p.new)}${because(p, "why")}`,
  "review.verdict_given": verdict,
  "review.webhook_added": (p) => `added a web hook to ${text(p.url)}`,
  "review.webhook_disabled": (p) => `disabled a web hook${because(p, "why")}`,
  "tasks.admitted": (p) => `let a person work on the queue${because(p)}`,
  "tasks.answered": answered,
  "tasks.climbed": (p) =>
    `passed on ${many(p.tasks, "task")} that nobody claimed in time, to ${text(p.to_skill) === "lead" ? "leads" : text(p.to_skill)}`,
  "tasks.expired": () => "closed a task that nobody answered in time",
  "tasks.first_answered": (p) => `answered before the AI answer was shown: ${text(p.value)}`,
  "tasks.gate_closed": (p) =>
    `gives a person no more tasks: ${text(p.right)} of ${many(p.n, "answer")} of known truth right`,
  "tasks.opened": (p) => `opened a task${because(p)}`,
  "tasks.queue_rules_set": () => "changed the rules of the queue",
  "tasks.withdrawn": (p) => `withdrew a task${because(p, "why")}`,
  "train.ended": (p) => `ended a run, ${text(p.state)}${because(p, "error")}`,
  "train.model_made": (p) => `made model ${text(p.number)} from ${many(p.rows, "label")}`,
  "train.promoted": (p) => `made model ${text(p.number)} the champion`,
  "train.rejected": (p) => `rejected model ${text(p.number)}${because(p)}`,
  "train.retired": (p) => `retired model ${text(p.number)}${because(p)}`,
  "train.started": () => "started a training run",
};

/** A verb this page does not know is still said, in its own words. */
export function sentenceOf(verb: string, payload: Payload): string {
  const phrase = PHRASES[verb];
  if (phrase !== undefined) return phrase(payload);
  const [stage = "", what = ""] = verb.split(".");
  const said = humanised(what === "" ? stage : what).toLowerCase();
  return said + because(payload, text(payload.sentence) === "" ? "reason" : "sentence");
}
