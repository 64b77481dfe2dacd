import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { steer } from "../api/client";
import type { Automation } from "../api/contract";
import { ProblemNotice } from "../kit/problem";

const WORDS = {
  stop: {
    button: "Stop automation",
    title: "Stop automation",
    effect: "From now on every item goes to people. Nothing that was decided changes. Another person starts it again.",
  },
  restart: {
    button: "Start automation again",
    title: "Start automation again",
    effect: "Another person than the one who stopped it does this. The certificate must still hold.",
  },
} as const;

/** What a person may do to automation now: stop it while it runs, start it again after a person stopped it. */
export function steerable(automation: Automation): "stop" | "restart" | null {
  if (automation === "auto" || automation === "warned") return "stop";
  return automation === "stopped" ? "restart" : null;
}

/** The stop switch. It asks for a reason, because the journal keeps it; it has no single key. */
export function Steer({ project, to }: { readonly project: string; readonly to: "stop" | "restart" }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const queries = useQueryClient();
  const words = WORDS[to];
  const change = useMutation({
    mutationFn: (why: string) => steer(project, to, why),
    onSuccess: async () => {
      dialog.current?.close();
      await queries.invalidateQueries({ queryKey: ["loop", project] });
    },
  });
  return (
    <>
      <button type="button" className={to === "stop" ? "btn stop" : "btn"} onClick={() => dialog.current?.showModal()}>
        {words.button}
      </button>
      <dialog className="keys" ref={dialog} aria-labelledby="steer">
        <h2 id="steer">{words.title}</h2>
        <p className="soft">{words.effect}</p>
        <form
          className="steer"
          onSubmit={(event) => {
            event.preventDefault();
            const why = new FormData(event.currentTarget).get("why");
            change.mutate(typeof why === "string" ? why.trim() : "");
          }}
        >
          <label>
            <span className="lbl">Reason, for the journal</span>
            <textarea className="field" name="why" rows={3} required minLength={3} maxLength={2000} />
          </label>
          {change.isError && <ProblemNotice error={change.error} />}
          <div className="actions">
            <button type="submit" className={to === "stop" ? "btn stop" : "btn"} disabled={change.isPending}>
              {words.button}
            </button>
            <button type="button" className="btn quiet" onClick={() => dialog.current?.close()}>
              Leave it as it is
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
