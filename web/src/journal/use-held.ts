import { useState } from "react";
import { held } from "./held";

interface HeldRows<Row> {
  readonly rows: readonly Row[];
  readonly added: number;
  readonly gone: number;
  readonly show: () => void;
}

/** Keeps rows on screen as they were first shown; `show` lets the newest in. */
export function useHeld<Row>(latest: readonly Row[], idOf: (row: Row) => string | number): HeldRows<Row> {
  const [shown, setShown] = useState<readonly Row[]>(latest);
  const now = held(shown, latest, idOf);
  if (shown.length === 0 && latest.length > 0) setShown(latest);
  return { ...now, show: () => setShown(latest) };
}
