/** What an answer button sends: the value, and the verb that says how it stands to the AI answer that was shown. */

import type { Answered, Option, Prediction, Task, Value, Verb } from "../api/contract";
import { measured } from "../words/number";

export type Given =
  | { readonly does: "value"; readonly value: Value }
  | { readonly does: "approve" | "abstain" | "escalate" | "sign" | "refuse" };

/** Which of the other verbs answer a kind of task; the server holds the same table and has the last word. */
const OTHER_VERBS: Readonly<Record<string, readonly Verb[]>> = {
  label: ["abstain", "escalate"],
  review: ["approve", "abstain", "escalate"],
  audit: ["abstain", "escalate"],
  adjudicate: ["abstain", "escalate"],
  compare: ["abstain"],
  sign_off: ["sign", "refuse"],
};

export function takes(task: Pick<Task, "kind">, verb: Verb): boolean {
  return OTHER_VERBS[task.kind]?.includes(verb) ?? false;
}

type Seen = Task & { readonly prediction: Prediction };

/** True when the reviewer was shown the AI answer before answering. */
export function sawPrediction(task: Task): task is Seen {
  return !task.blind && task.prediction !== null;
}

export function approvable(task: Task): task is Seen {
  return sawPrediction(task) && takes(task, "approve");
}

/** The title that the schema gives a value: `M` is `Malignant`; numbers are written as numbers. */
export function titleOf(options: readonly Option[], value: Value): string {
  const title = options.find((option) => option.value === String(value))?.title;
  return title ?? (typeof value === "number" ? measured(value) : String(value ?? "no answer"));
}

function valueAndVerb(task: Task, given: Given): Pick<Answered, "value" | "verb"> {
  if (given.does === "value") {
    if (!approvable(task)) return { value: given.value, verb: "label" };
    return { value: given.value, verb: given.value === task.prediction.value ? "approve" : "correct" };
  }
  if (given.does === "approve") return { value: task.prediction?.value ?? null, verb: "approve" };
  return { value: null, verb: given.does };
}

const IN_WORDS = { abstain: "cannot say", escalate: "escalated", sign: "signed", refuse: "refused" } as const;

/** The answer in words, for the note that is shown after it was stored. */
export function saidInWords(task: Task, given: Given): string {
  if (given.does === "value") return titleOf(task.question.options, given.value);
  if (given.does === "approve") return `${titleOf(task.question.options, task.prediction?.value ?? null)}, as AI`;
  return IN_WORDS[given.does];
}

export function answered(task: Task, given: Given, reason: string, shownAt: string): Answered {
  return { ...valueAndVerb(task, given), reason: reason.trim(), shown_at: shownAt };
}

export type Form = "signature" | "options" | "number" | "text" | "unknown";

/** How this page asks: a signature, the options of the schema, a field, or not at all because it does not know the form. */
export function formOf(task: Pick<Task, "kind" | "question">): Form {
  if (task.kind === "sign_off") return "signature";
  if (!(task.kind in OTHER_VERBS)) return "unknown";
  // Several choices and rankings have options too, and one of them alone is no answer.
  if (task.question.type === "choice" && task.question.options.length > 0) return "options";
  return task.question.type === "number" || task.question.type === "text" ? task.question.type : "unknown";
}

/** Reads a typed answer: a number with a point or a comma, a text that is not empty; null when it is neither. */
export function typedValue(form: Form, text: string): Value {
  const said = text.trim();
  if (said === "") return null;
  if (form === "text") return said;
  const plain = said.replace("\u2212", "-").replace(",", ".");
  return /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : null;
}
