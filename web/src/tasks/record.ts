/** The rows of an item: value, unit, flag, place in the reference range, and what moves the score. */

import type { Contribution, Field, Value } from "../api/contract";
import { againstReference, type RangePlace } from "../loop/geometry";
import { measured, range, signed } from "../words/number";

export interface RecordRow {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly value: string;
  readonly isNumber: boolean;
  readonly missing: boolean;
  readonly reference: string;
  readonly place: RangePlace | null;
  readonly contribution: number | null;
  readonly contributionText: string;
}

/** A value as it is read; what is missing says so in the place where it would be. */
export function valueText(value: Value): string {
  if (value === null || value === "") return "missing";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" ? measured(value) : value;
}

function decimalsOf(value: number): number {
  const part = measured(value).split(".")[1];
  return part === undefined ? 0 : part.length;
}

function referenceText(low: number | null, high: number | null): string {
  if (low === null && high === null) return "";
  if (low === null) return `up to ${measured(high ?? 0)}`;
  if (high === null) return `from ${measured(low)}`;
  return range(low, high, Math.max(decimalsOf(low), decimalsOf(high)));
}

export function rowsOf(fields: readonly Field[], top: readonly Contribution[]): readonly RecordRow[] {
  const moves = new Map(top.map(({ feature, contribution }) => [feature, contribution]));
  return fields.map(({ name, title, unit, value, reference_low: low, reference_high: high }) => {
    const isNumber = typeof value === "number";
    const contribution = moves.get(name) ?? null;
    return {
      name,
      title: title || name,
      unit: unit ?? "",
      value: valueText(value),
      isNumber,
      missing: value === null || value === "",
      reference: referenceText(low, high),
      place: isNumber && low !== null && high !== null ? againstReference(value, low, high) : null,
      contribution,
      contributionText: contribution === null ? "" : signed(contribution),
    };
  });
}

/** The strongest move, which a contribution bar is drawn against. */
export function strongest(rows: readonly RecordRow[]): number {
  return Math.max(0, ...rows.map(({ contribution }) => Math.abs(contribution ?? 0)));
}

/** Contributions of names that are no field of the item (a made feature); they are listed under the table, never dropped. */
export function otherMoves(fields: readonly Field[], top: readonly Contribution[]): readonly Contribution[] {
  const known = new Set(fields.map(({ name }) => name));
  return top.filter(({ feature }) => !known.has(feature));
}
