/** The sentences and small facts of the loop page, made from the figures of the API. */

import type { Automation, Brake, Certificate, Loop, Project, QueueCounts, StateName, Tally } from "../api/contract";
import { count, counted, fixed, NARROW, percent, percentShort } from "../words/number";
import { letsThrough } from "./groups";
import { limited } from "./loss";

export interface Said {
  readonly state: StateName;
  readonly text: string;
}

const AUTOMATION: Readonly<Record<Automation, Said>> = {
  shadow: { state: "pending", text: "Automation off" },
  certifying: { state: "pending", text: "Certifying" },
  auto: { state: "auto", text: "Automation on" },
  warned: { state: "warned", text: "Automation on, warned" },
  braked: { state: "braked", text: "braked" },
  stopped: { state: "braked", text: "stopped" },
};

export function automationSaid(automation: Automation): Said {
  return AUTOMATION[automation] ?? { state: "pending", text: automation };
}

const WHY_PEOPLE: Readonly<Record<Automation, string>> = {
  shadow: "Every item goes to people; the model only watches.",
  certifying: "Every item goes to people until a certificate holds.",
  auto: "",
  // a notice of its own says these
  warned: "",
  braked: "",
  stopped: "",
};

/** The tally the page leads with: today when anything happened today, else everything so far. */
export function leading({ today, all }: Pick<Loop, "today" | "all">): {
  readonly tally: Tally;
  readonly when: "today" | "so far";
} {
  return today.total > 0 ? { tally: today, when: "today" } : { tally: all, when: "so far" };
}

/** The first sentence of the page: how things are. */
export function loopSentence(loop: Pick<Loop, "today" | "all" | "automation">): string {
  const { tally, when } = leading(loop);
  const why = WHY_PEOPLE[loop.automation] ?? "";
  if (tally.total === 0) return ["No item has been decided yet.", why].filter(Boolean).join(" ");
  const start = when === "today" ? "Today" : "So far";
  const first = `${start} ${count(tally.auto)} of ${counted(tally.total, "item")} ${tally.auto === 1 ? "was" : "were"} decided without a person.`;
  return [first, why].filter(Boolean).join(" ");
}

/** The leading figure: counts while there are few, else per cent; nothing and everything have no decimals. */
export function leadingFigure({ auto, total }: Tally): string {
  if (total < 30) return `${count(auto)} of ${count(total)}`;
  return percent(auto / total, auto === 0 || auto === total ? 0 : 1);
}

/** What became of the items, for the small line under the leading figure. */
export function splitSentence({ auto, human, blocked, expired }: Tally): string {
  const said = [`${count(auto)} automatic`, `${count(human)} to people`];
  if (blocked > 0) said.push(`${count(blocked)} blocked`);
  if (expired > 0) said.push(`${count(expired)} expired`);
  return said.join(", ");
}

/** "Simulated here: people and the shift at the end."; the description of a demonstration when it lists nothing. */
export function simulatedSentence({
  demo,
  description,
  simulated,
}: Pick<Project, "demo" | "description" | "simulated">): string {
  if (!demo && simulated.length === 0) return "";
  if (simulated.length === 0) return description || "This project was made by a demonstration.";
  const last = simulated[simulated.length - 1] ?? "";
  const list = simulated.length === 1 ? last : `${simulated.slice(0, -1).join(", ")} and ${last}`;
  return `Simulated here: ${list}.`;
}

export function certificateState(status: string): Said {
  if (["certified", "in_force"].includes(status)) return { state: "auto", text: "in force" };
  if (status === "refused") return { state: "pending", text: "refused" };
  if (status === "planned") return { state: "pending", text: "collects labels" };
  return { state: "expired", text: status.replace(/_/g, " ") };
}

/** Why there is no automatic range, and how many labels it takes. */
export function neededSentence(
  certificate: Pick<Certificate, "needed" | "alpha"> & { readonly mode?: string },
): string {
  const { needed } = certificate;
  const limit = `${percentShort(certificate.alpha)} ${limited(certificate)}`;
  if (needed === null) return `Cannot certify at ${limit}. How many labels it takes is not known yet.`;
  if (needed <= 0) return `Cannot certify at ${limit}: the labels show too many errors.`;
  return `Cannot certify at ${limit} yet, ${counted(needed, "more label")} needed.`;
}

export interface Fact {
  readonly term: string;
  readonly fact: string;
}

/** The facts under the sentence of a certificate; a fact that is not known is left out. */
export function certificateFacts(certificate: Certificate): readonly Fact[] {
  const { alpha, labels, errors, labels_in_range, errors_in_range, upper, threshold, model, policy } = certificate;
  const refused = !letsThrough(certificate);
  const counts = certificate.mode === "betting" ? "with a loss" : "wrong";
  const facts: Fact[] = [];
  if (labels_in_range !== null && errors_in_range !== null) {
    facts.push({
      term: refused ? "Range that came nearest" : "In the automatic range",
      fact: `${count(labels_in_range)} of ${counted(labels, "label")}, ${count(errors_in_range)} ${counts}`,
    });
  } else {
    facts.push({ term: "Evidence", fact: `${counted(labels, "label")}, ${count(errors)} ${counts}` });
  }
  if (upper !== null)
    facts.push({
      term: "Upper bound on error",
      fact: refused ? `${percentShort(upper)}, the limit is ${percentShort(alpha)}` : percentShort(upper),
    });
  if (threshold !== null) facts.push({ term: "Threshold", fact: `score ${fixed(threshold, 3)} and above` });
  else if (!refused) facts.push({ term: "Threshold", fact: "each group its own" });
  facts.push({
    term: refused ? "Asked for" : "Holds for",
    fact: [model && (model.startsWith("model ") ? model : `model ${model}`), policy && `policy ${policy}`]
      .filter(Boolean)
      .join(", "),
  });
  return facts.filter(({ fact }) => fact !== "");
}

export function brakeState({ level }: Pick<Brake, "level">): Said {
  if (level === "warned") return { state: "warned", text: "warned" };
  if (level === "braked" || level === "stopped") return { state: "braked", text: "braked" };
  return { state: "decided", text: "ready, not triggered" };
}

/** Two digits of the e-value; of a tiny or a huge one only that it is, because its digits say nothing. */
export function eValue(value: number): string {
  if (value >= 10_000) return `over 10${NARROW}000`;
  if (value < 0.01) return "under 0.01";
  return fixed(value, value >= 100 ? 0 : value >= 1 ? 1 : 2);
}

export function queueSentence({ open, claimed, due }: QueueCounts): string {
  if (open === 0 && claimed === 0) return "Nothing waits for people.";
  const said = [`${counted(open, "task")} ${open === 1 ? "waits" : "wait"} for people`];
  if (due > 0) said.push(`${count(due)} due today`);
  if (claimed > 0) said.push(`${count(claimed)} being answered now`);
  return `${said.join(", ")}.`;
}
