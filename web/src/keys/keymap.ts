/** Which key does what. Pure: a key press and what is on the page give one command or none. */

export interface Press {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  readonly repeat: boolean;
  readonly inField: boolean; // the focus is where text is typed
}

/** Keys act alone: with a modifier, in a field or held down they mean something else. */
export function isSingle(press: Press): boolean {
  return !(press.ctrlKey || press.metaKey || press.altKey || press.inField || press.repeat);
}

export type TaskCommand =
  | { readonly does: "option"; readonly index: number }
  | { readonly does: "approve" | "abstain" | "escalate" | "return" | "comment" | "help" | "sign" | "refuse" };

export interface TaskKeys {
  readonly options: number; // how many answers the question has
  readonly approvable: boolean; // an AI answer is shown
  readonly signing: boolean; // the task asks for a signature
}

const TASK_VERBS: Readonly<Record<string, "abstain" | "escalate" | "return" | "comment" | "help">> = {
  n: "abstain",
  e: "escalate",
  s: "return",
  c: "comment",
  "?": "help",
};

const SIGNING: readonly TaskCommand[] = [{ does: "sign" }, { does: "refuse" }];

function numbered(index: number, { options, signing }: TaskKeys): TaskCommand | null {
  if (signing) return SIGNING[index] ?? null;
  return index < options ? { does: "option", index } : null;
}

export function taskCommand(press: Press, keys: TaskKeys): TaskCommand | null {
  if (!isSingle(press)) return null;
  const key = press.key.toLowerCase();
  if (/^[1-9]$/.test(key)) return numbered(Number(key) - 1, keys);
  if (key === "a") return keys.approvable && !keys.signing ? { does: "approve" } : null;
  const verb = TASK_VERBS[key];
  const isAnswer = verb === "abstain" || verb === "escalate";
  return verb === undefined || (keys.signing && isAnswer) ? null : { does: verb };
}

export type ListCommand = "next" | "previous";

const LIST: Readonly<Record<string, ListCommand>> = {
  j: "next",
  k: "previous",
};

/** J and K move the focus from row to row, also while held; Enter then opens the focused link as on any page. */
export function listCommand(press: Press): ListCommand | null {
  return isSingle({ ...press, repeat: false }) ? (LIST[press.key.toLowerCase()] ?? null) : null;
}

/** The row after a step, held inside the list; -1 when the list is empty. */
export function stepRow(current: number, rows: number, command: ListCommand): number {
  if (rows === 0) return -1;
  if (current < 0) return command === "next" ? 0 : rows - 1;
  return Math.max(0, Math.min(rows - 1, current + (command === "next" ? 1 : -1)));
}

export interface KeyLine {
  readonly key: string;
  readonly does: string;
}

export const TASK_KEY_LINES: readonly KeyLine[] = [
  { key: "1–9", does: "give the answer with this number" },
  { key: "A", does: "approve the AI answer, when one is shown" },
  { key: "N", does: "cannot say" },
  { key: "E", does: "escalate to someone else" },
  { key: "S", does: "return the task unanswered" },
  { key: "C", does: "write a reason" },
  { key: "?", does: "show these keys" },
];

export const LIST_KEY_LINES: readonly KeyLine[] = [
  { key: "J", does: "next row" },
  { key: "K", does: "row before" },
  { key: "Enter", does: "open the task" },
];
