/** The groups of the certificate that is shown: the state of each in words, and all of them in one sentence. */

import type { Automation, Certificate, Group } from "../api/contract";
import { count, counted, percentShort } from "../words/number";
import { limited } from "./loss";
import type { Said } from "./sentences";

const STATES: Readonly<Record<Group["state"], Said>> = {
  planned: { state: "pending", text: "collects labels" },
  auto: { state: "auto", text: "automatic" },
  warned: { state: "warned", text: "automatic, warned" },
  braked: { state: "braked", text: "braked" },
  human: { state: "pending", text: "people decide" },
  ended: { state: "expired", text: "ended" },
};

function isOn(automation: Automation): boolean {
  return automation === "auto" || automation === "warned";
}

function isAutomatic({ state }: Pick<Group, "state">): boolean {
  return state === "auto" || state === "warned";
}

/** What happens to a group's items now: while automation is off for all, no group is automatic. */
export function groupState(group: Pick<Group, "state">, automation: Automation): Said {
  return isAutomatic(group) && !isOn(automation) ? STATES.human : STATES[group.state];
}

/** On what a group's state rests: what its labels said where it was refused, else what its audits say. */
export function groupDetail({ state, labels, errors, needed, audits, wrong }: Group): string {
  if (state === "planned") return labels === null ? "" : `${counted(labels, "label")} asked for`;
  if (state === "human") {
    if (needed !== null && needed > 0) return `${counted(needed, "more label")} needed`;
    return labels !== null && errors !== null ? `${count(errors)} of ${counted(labels, "label")} wrong` : "";
  }
  return audits === null ? "" : `${counted(audits, "audit")}, ${count(wrong ?? 0)} wrong`;
}

/** The share of a group that is automatic: as its threshold let through when it was set, and nothing while people decide. */
export function groupShare(group: Pick<Group, "state" | "coverage">, automation: Automation): string {
  if (group.state === "planned") return "not yet";
  if (!isAutomatic(group) || !isOn(automation)) return percentShort(0);
  return group.coverage === null ? "not known" : percentShort(group.coverage, 0);
}

/** `2 automatic, 1 with people, 1 braked`; nothing that is not so is named. */
export function groupsSaid(groups: readonly Pick<Group, "state">[], automation: Automation): string {
  const states = groups.map((group) => groupState(group, automation));
  const parts: readonly (readonly [string, (said: Said) => boolean])[] = [
    ["automatic", ({ state }) => state === "auto" || state === "warned"],
    ["with people", ({ text }) => text === STATES.human.text],
    ["braked", ({ state }) => state === "braked"],
    ["collecting labels", ({ text }) => text === STATES.planned.text],
    ["ended", ({ state }) => state === "expired"],
  ];
  return parts
    .map(([word, is]) => [word, states.filter(is).length] as const)
    .filter(([, number]) => number > 0)
    .map(([word, number]) => `${count(number)} ${word}`)
    .join(", ");
}

/** What is so for items of no group, and what was certified of the groups. */
export function groupsRule({ groups_apart }: Pick<Certificate, "groups_apart">): string {
  return groups_apart
    ? "Each group has a threshold of its own. Items of no group go to people."
    : "One threshold holds for all. The brake watches each group against its own limit.";
}

/** The groups that the brake holds while the others go on; empty while automation is off for all. */
export function heldGroups(groups: readonly Pick<Group, "group" | "state">[], automation: Automation): string[] {
  return isOn(automation) ? groups.filter(({ state }) => state === "braked").map(({ group }) => group) : [];
}

/** What a certificate does, or was certified to do before the brake stopped a part of it. */
export function automates({ groups }: Pick<Certificate, "groups">): string {
  return groups.some(({ state }) => state === "braked") ? "Certified to automate" : "Automates";
}

/** Whether a certificate lets anything through: by one threshold, or by one of a group. */
export function letsThrough({ threshold, groups }: Pick<Certificate, "threshold" | "groups">): boolean {
  return threshold !== null || groups.some((group) => group.threshold !== null);
}

/** `≤ 5 % error`, and by group where they have limits of their own. */
export function limitSaid({
  alpha,
  groups,
  groups_apart,
  mode,
}: Pick<Certificate, "alpha" | "groups" | "groups_apart"> & { readonly mode?: string }): string {
  if (!groups_apart) return `\u2264 ${percentShort(alpha)} ${limited({ mode })}`;
  const certified = groups.filter(({ threshold }) => threshold !== null);
  const limits = new Set(certified.map((group) => group.alpha));
  const [limit = alpha] = limits;
  const which = certified.length === 1 ? "in one group" : `in each of ${counted(certified.length, "group")}`;
  return limits.size < 2 ? `\u2264 ${percentShort(limit)} error ${which}` : `\u2264 its own limit of error ${which}`;
}
