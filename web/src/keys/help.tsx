import { useRef } from "react";
import type { KeyLine } from "./keymap";
import { useKeysOn } from "./setting";

interface Help {
  readonly dialog: React.RefObject<HTMLDialogElement | null>;
  readonly open: () => void;
}

export function useKeyHelp(): Help {
  const dialog = useRef<HTMLDialogElement>(null);
  return { dialog, open: () => dialog.current?.showModal() };
}

/** All keys of a page, and the switch that turns single keys off. */
export function KeyHelp({
  dialog,
  lines,
}: {
  readonly dialog: React.RefObject<HTMLDialogElement | null>;
  readonly lines: readonly KeyLine[];
}) {
  const [on, set] = useKeysOn();
  return (
    <dialog className="keys" ref={dialog} aria-labelledby="keys-title">
      <h2 id="keys-title">Keys on this page</h2>
      <dl>
        {lines.map(({ key, does }) => (
          <div key={key}>
            <dt>
              <kbd className="key">{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <label>
        <input type="checkbox" checked={on} onChange={(event) => set(event.target.checked)} />
        Single keys act
      </label>
      <form method="dialog">
        <button type="submit" className="btn">
          Close
        </button>
      </form>
    </dialog>
  );
}
