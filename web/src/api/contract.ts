/** The API as the pages use it. Named here once; the day the generated schema covers a type, its line becomes an alias. */

export type ActorKind = "person" | "machine" | "rule" | "simulated";

export interface Actor {
  readonly kind: ActorKind;
  readonly id: string;
  readonly name: string;
}

export interface Session {
  readonly actor: Actor | null;
  readonly setup_needed: boolean;
  readonly csrf: string | null;
  readonly demo: boolean;
}

export interface Project {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly demo: boolean;
  readonly simulated: string[];
}

export type Automation = "shadow" | "certifying" | "auto" | "warned" | "braked" | "stopped";
export type StageKey = "prepare" | "train" | "review" | "feedback" | "watch";
export type StateName = "auto" | "pending" | "decided" | "blocked" | "warned" | "braked" | "expired" | "running";

export interface Tally {
  readonly auto: number;
  readonly human: number;
  readonly blocked: number;
  readonly expired: number;
  readonly total: number;
}

export interface Stage {
  readonly key: StageKey;
  readonly title: string;
  readonly figure: string;
  readonly detail: string;
  readonly state: StateName;
  readonly state_text: string;
  readonly href: string;
}

export type GroupState = "planned" | "auto" | "warned" | "braked" | "human" | "ended";

/** What a certificate says of one group; its errors and labels are null where one threshold is certified for all. */
export interface Group {
  readonly group: string;
  readonly alpha: number;
  readonly state: GroupState;
  readonly threshold: number | null;
  readonly coverage: number | null;
  readonly labels: number | null;
  readonly errors: number | null;
  readonly needed: number | null;
  readonly audits: number | null;
  readonly wrong: number | null;
}

export interface Certificate {
  readonly id: string;
  readonly status: string;
  readonly alpha: number;
  readonly delta: number;
  readonly threshold: number | null;
  readonly coverage: number | null;
  readonly labels: number;
  readonly errors: number;
  readonly labels_in_range: number | null;
  readonly errors_in_range: number | null;
  readonly upper: number | null;
  readonly needed: number | null;
  readonly model: string;
  readonly policy: string;
  readonly issued_at: string | null;
  readonly mode: string;
  readonly groups: readonly Group[]; // none where it names no group
  readonly groups_apart: boolean; // each has a threshold of its own
}

export interface Brake {
  readonly e_value: number;
  readonly warns_at: number;
  readonly stops_at: number;
  readonly level: string;
  readonly audits: number;
  readonly wrong: number;
  readonly since: string | null;
}

export interface QueueCounts {
  readonly open: number;
  readonly claimed: number;
  readonly due: number;
}

/** Object ids by role: {"decision_id": "...", "item_id": "..."}. */
export type ObjectIds = Readonly<Record<string, unknown>>;

export interface JournalEntry {
  readonly index: number;
  readonly time: string;
  readonly actor: { readonly kind: ActorKind; readonly name: string };
  readonly verb: string;
  readonly sentence: string;
  readonly objects: ObjectIds;
}

export interface Loop {
  readonly project: { readonly id: string; readonly name: string; readonly description: string };
  readonly as_of: string;
  readonly automation: Automation;
  readonly today: Tally;
  readonly all: Tally;
  readonly stages: Stage[];
  readonly certificate: Certificate | null;
  readonly brake: Brake | null;
  readonly queue: QueueCounts;
  readonly journal_entries: number;
  readonly events: JournalEntry[];
}

export interface TaskRow {
  readonly id: string;
  readonly kind: string;
  readonly question: string;
  readonly item_id: string | null;
  readonly item_name: string | null;
  readonly reason: string;
  readonly priority: number;
  readonly opened_at: string;
  readonly deadline: string | null;
  readonly status: string;
  readonly claimed_by: string | null;
  readonly for_you: boolean;
  /** When people with the next skill are asked, if nobody claims it before. */
  readonly climbs_at: string | null;
}

export interface TaskPage {
  readonly items: TaskRow[];
  readonly next: string | null;
  readonly counts: Readonly<Record<string, unknown>>;
}

export type Value = string | number | boolean | null;

export interface Option {
  readonly value: string;
  readonly title: string;
}

export interface Question {
  readonly name: string;
  readonly title: string;
  readonly type: string;
  readonly options: Option[];
}

export interface Field {
  readonly name: string;
  readonly title: string;
  readonly unit: string | null;
  readonly value: Value;
  readonly reference_low: number | null;
  readonly reference_high: number | null;
}

export interface Contribution {
  readonly feature: string;
  readonly contribution: number;
}

export interface Prediction {
  readonly value: Value;
  readonly score: number;
  readonly words: string;
  readonly top: Contribution[];
}

export interface Task {
  readonly id: string;
  readonly kind: string;
  readonly question: Question;
  readonly item: { readonly id: string; readonly name: string; readonly fields: Field[] } | null;
  readonly prediction: Prediction | null;
  readonly blind: boolean;
  readonly reason: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly claim_until: string | null;
  readonly guideline: string | null;
  readonly first_needed: boolean; // the reviewer's own answer comes first, then the AI answer is shown
  readonly own_answer: Value; // what the reviewer said before it was shown
}

export type Verb = "approve" | "correct" | "label" | "escalate" | "abstain" | "sign" | "refuse";

export interface Answered {
  readonly value: Value;
  readonly verb: Verb;
  readonly reason: string;
  readonly shown_at: string;
}

/** Why automation is stopped or started again; written to the journal. */
export interface Why {
  readonly why: string;
}

export interface ControlState {
  readonly state: string;
  readonly since: string;
}

export interface AnswerStored {
  readonly answer_id: string;
  readonly next_task_id: string | null;
}

export interface JournalPage {
  readonly items: JournalEntry[];
  readonly next: number | null;
}

/** The dossier is a document: its parts are shown as they come, see dossier/document.ts. */
export type Dossier = Readonly<Record<string, unknown>>;
