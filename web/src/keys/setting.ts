import { useSyncExternalStore } from "react";

/** Whether single keys act (WCAG 2.1.4: they can be switched off). Kept in this browser. */
const NAME = "handrail.keys";
const listeners = new Set<() => void>();

function read(): boolean {
  try {
    return localStorage.getItem(NAME) !== "off";
  } catch {
    return true; // storage is blocked: keys stay on, the choice lasts for the page
  }
}

let on = read();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function set(next: boolean): void {
  on = next;
  try {
    localStorage.setItem(NAME, next ? "on" : "off");
  } catch {
    // nothing to keep it in
  }
  for (const listener of listeners) listener();
}

export function useKeysOn(): readonly [boolean, (next: boolean) => void] {
  return [useSyncExternalStore(subscribe, () => on), set];
}
