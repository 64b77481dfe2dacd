import { useEffect, useState } from "react";
import { ActorName } from "../kit/actor";
import { Section } from "../kit/document";
import { State } from "../kit/mark";
import { Scroll } from "../kit/scroll";
import { count, counted } from "../words/number";
import { momentExact, readTime } from "../words/time";
import { type Checked, check, type ProvenEntry } from "./proof";

const MARKS = { verified: "decided", failed: "warned", unchecked: "expired" } as const;

function ProofState({ checked }: { readonly checked: Checked | undefined }) {
  return checked === undefined ? (
    <State of="running">checking</State>
  ) : (
    <State of={MARKS[checked.state]}>{checked.text}</State>
  );
}

/** Every proof is checked in this browser, against the signed log, not believed. */
function useChecks(entries: readonly ProvenEntry[]): readonly Checked[] {
  const [checks, setChecks] = useState<readonly Checked[]>([]);
  useEffect(() => {
    let left = false;
    const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
    void Promise.all(entries.map(({ proof }) => check(proof, subtle))).then((found) => {
      if (!left) setChecks(found);
    });
    return () => {
      left = true;
    };
  }, [entries]);
  return checks;
}

/** The journal entries that name the decision, each with the state of its inclusion proof. */
export function Entries({ entries, now }: { readonly entries: readonly ProvenEntry[]; readonly now: Date }) {
  const checks = useChecks(entries);
  const size = entries[0]?.proof?.size;
  return (
    <Section
      title="Journal entries"
      say={size === undefined ? undefined : `proved against the signed log of ${counted(size, "entry", "entries")}`}
    >
      {entries.length === 0 ? (
        <p className="faint">None came with this dossier.</p>
      ) : (
        <Scroll className="part" label="Journal entries, table">
          <table className="tbl">
            <thead>
              <tr>
                <th scope="col" className="r">
                  Entry
                </th>
                <th scope="col">Time</th>
                <th scope="col">Actor</th>
                <th scope="col">What happened</th>
                <th scope="col">Proof</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry, index) => {
                const at = readTime(entry.time);
                return (
                  <tr key={entry.index}>
                    <td className="r">{count(entry.index)}</td>
                    <td className="nowrap">{at === null ? "" : momentExact(at, { now })}</td>
                    <td>
                      <ActorName actor={entry.actor} />
                    </td>
                    <td>{entry.sentence}</td>
                    <td className="nowrap">
                      <ProofState checked={checks[index]} />
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </Scroll>
      )}
    </Section>
  );
}
