import type { Task } from "../api/contract";
import { Facts } from "../kit/document";
import { shortDigest, shortId } from "../words/names";
import { percentShort } from "../words/number";
import { proposalOf } from "./comparison";

/** Champion and challenger on the same held-out items: what the person who signs must see. */
export function ProposalTable({ task }: { readonly task: Task }) {
  const { champion, codes, difference, facts, level, lines, model, summary } = proposalOf(task.payload);
  return (
    <>
      {summary !== "" && <p className="statement summary">{summary}</p>}
      <div className="scroll">
        <table className="tbl versus num">
          <thead>
            <tr>
              <th scope="col">{level === null ? "Measured" : `Measured, ${percentShort(level)} intervals`}</th>
              <th scope="col">{champion === null ? "Champion: none yet" : `Champion ${champion}`}</th>
              <th scope="col">Challenger {model}</th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.name}>
                <th scope="row">{line.name}</th>
                <td>{line.champion}</td>
                <td>{line.challenger}</td>
              </tr>
            ))}
            {difference !== "" && (
              <tr>
                <th scope="row">Challenger minus champion</th>
                <td />
                <td>{difference}</td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
      <Facts
        className="under"
        facts={[
          ...facts,
          ...codes.map(({ term, code }) => ({
            term,
            fact: (
              <abbr className="mono" title={code}>
                {shortDigest(shortId(code))}
              </abbr>
            ),
          })),
        ]}
      />
      <p className="soft under">
        {champion === null
          ? "A signature makes it the champion. Until a certificate holds, every item goes to people."
          : "A signature makes it the champion and ends the certificate of the model before. Until a new certificate holds, every item goes to people."}
      </p>
    </>
  );
}
