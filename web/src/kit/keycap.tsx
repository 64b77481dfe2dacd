import { useKeysOn } from "../keys/setting";

/** The key of a control, at its right end; hidden when single keys are switched off. */
export function Key({ children }: { readonly children: string }) {
  const [on] = useKeysOn();
  return on ? (
    <span className="key" aria-hidden="true">
      {children}
    </span>
  ) : null;
}
