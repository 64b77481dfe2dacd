import { useEffect, useLayoutEffect, useRef } from "react";
import type { Press } from "./keymap";
import { useKeysOn } from "./setting";

function isField(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

function pressOf(event: KeyboardEvent): Press {
  const { key, ctrlKey, metaKey, altKey, shiftKey, repeat } = event;
  return { key, ctrlKey, metaKey, altKey, shiftKey, repeat, inField: isField(event.target) };
}

/** Listens for single keys on the page. The handler returns true when the key did something. */
export function useKeys(handle: (press: Press) => boolean): void {
  const [on] = useKeysOn();
  const latest = useRef(handle);
  // Before the paint: a key pressed as soon as something is on screen means what is on screen.
  useLayoutEffect(() => {
    latest.current = handle;
  });
  useEffect(() => {
    if (!on) return;
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || document.querySelector("dialog[open]") !== null) return;
      if (latest.current(pressOf(event))) event.preventDefault();
    };
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, [on]);
}
