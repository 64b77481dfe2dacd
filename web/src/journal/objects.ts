/** The things an entry is about, by role, and which of them have a page. */

import type { ObjectIds } from "../api/contract";
import { humanised, shortDigest, shortId } from "../words/names";

export interface Named {
  readonly role: string; // "decision", "item"
  readonly id: string;
  readonly short: string;
  readonly isDecision: boolean;
}

const HIDDEN = new Set(["project"]); // every entry on the page belongs to it

/** What an entry is mostly about comes first. */
const FIRST = ["decision", "item", "task"];

function place(role: string): number {
  const found = FIRST.indexOf(role);
  return found === -1 ? FIRST.length : found;
}

/** `{decision_id: "..."}` → decision; empty and missing references are left out, lists give one line each. */
export function objectsOf(objects: ObjectIds): readonly Named[] {
  const named = Object.entries(objects).flatMap(([key, value]) => {
    const role = key.replace(/_ids?$/, "");
    if (HIDDEN.has(role)) return [];
    const ids = Array.isArray(value) ? value : [value];
    return ids
      .filter((id): id is string | number => (typeof id === "string" && id !== "") || typeof id === "number")
      .map(String)
      .map((id) => ({
        role: humanised(role).toLowerCase(),
        id,
        short: shortDigest(shortId(id)),
        isDecision: role === "decision",
      }));
  });
  return named.sort((a, b) => place(a.role) - place(b.role));
}
