/** Nothing moves by itself: new rows wait until they are asked for. */

export interface Held<Row> {
  readonly rows: readonly Row[];
  readonly added: number;
  readonly gone: number;
}

/** What is on screen against what the server has now. `shown` null or empty: nothing to hold, the new rows appear. */
export function held<Row>(
  shown: readonly Row[] | null,
  latest: readonly Row[],
  idOf: (row: Row) => string | number,
): Held<Row> {
  if (shown === null || shown.length === 0) return { rows: latest, added: 0, gone: 0 };
  const before = new Set(shown.map(idOf));
  const after = new Set(latest.map(idOf));
  return {
    rows: shown,
    added: latest.filter((row) => !before.has(idOf(row))).length,
    gone: shown.filter((row) => !after.has(idOf(row))).length,
  };
}
