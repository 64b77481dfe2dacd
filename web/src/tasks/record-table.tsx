import type { Field, Prediction } from "../api/contract";
import { humanised } from "../words/names";
import { signed } from "../words/number";
import { otherMoves, type RecordRow, rowsOf, strongest } from "./record";

const RANGE = 112;
const HALF = 56; // of the contribution drawing: nothing moves the score at its middle

function ReferenceDrawing({ row }: { readonly row: RecordRow }) {
  const { place } = row;
  if (place === null) return null;
  return (
    <svg className="range" width={RANGE} height="12" aria-hidden="true">
      <line x1="0" x2={RANGE} y1="6" y2="6" />
      <rect x={place.from * RANGE} y="3" width={(place.to - place.from) * RANGE} height="6" />
      <circle className={place.flag === "" ? "inside" : "outside"} cx={place.at * RANGE} cy="6" r="4" />
    </svg>
  );
}

function Move({ row, most }: { readonly row: RecordRow; readonly most: number }) {
  if (row.contribution === null || most === 0) return null;
  const width = Math.max(1.5, (Math.abs(row.contribution) / most) * (HALF - 2));
  const lowers = row.contribution < 0;
  return (
    <svg className="move" viewBox={`0 0 ${2 * HALF} 20`} preserveAspectRatio="none" aria-hidden="true">
      <line x1={HALF} x2={HALF} y1="0" y2="20" />
      <rect className={lowers ? "lowers" : "raises"} x={lowers ? HALF - width : HALF} y="5" width={width} height="10" />
    </svg>
  );
}

interface Shown {
  readonly fields: readonly Field[];
  readonly prediction: Pick<Prediction, "top"> | null;
  readonly answer: string;
}

/** The item as a table: value, unit, flag, place in the reference range, and what moves the score. */
export function RecordTable({ fields, prediction, answer }: Shown) {
  const top = prediction?.top ?? [];
  const rows = rowsOf(fields, top);
  const most = strongest(rows);
  const hasReference = rows.some(({ reference }) => reference !== "");
  const hasMoves = most > 0;
  const hasUnits = rows.some(({ unit }) => unit !== "");
  const others = otherMoves(fields, top);
  if (rows.length === 0) return <p className="soft">This item has no fields.</p>;
  return (
    <>
      <div className="scroll">
        <table className={`tbl rec${hasReference ? "" : " plain"}${hasReference || hasMoves ? "" : " short"}`}>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col" className="r">
                Value
              </th>
              {hasUnits && <th scope="col">Unit</th>}
              {hasReference && (
                <>
                  <th scope="col" className="fl">
                    <span className="vh">Flag</span>
                  </th>
                  <th scope="col" className="rg">
                    Against reference
                  </th>
                  <th scope="col" className="rt">
                    Reference
                  </th>
                </>
              )}
              {hasMoves && (
                <th scope="col" className="r">
                  Moves the score for “{answer}”
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name}>
                <th scope="row">{row.title}</th>
                <td className={row.isNumber || row.missing ? "r num" : "words"}>
                  {row.missing ? <span className="faint">missing</span> : <b>{row.value}</b>}
                </td>
                {hasUnits && <td className="u">{row.unit}</td>}
                {hasReference && (
                  <>
                    <td className="fl">{row.place?.flag ?? ""}</td>
                    <td className="rg">
                      <ReferenceDrawing row={row} />
                    </td>
                    <td className="rt num faint">{row.reference}</td>
                  </>
                )}
                {hasMoves && (
                  <td className="ct">
                    <div>
                      <Move row={row} most={most} />
                      <span className="r num">{row.contributionText}</span>
                    </div>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {hasMoves && (
        <p className="small faint under">Filled bars raise the score, hollow bars lower it. The strongest are shown.</p>
      )}
      {others.length > 0 && (
        <p className="small faint under num">
          Also: {others.map(({ feature, contribution }) => `${humanised(feature)} ${signed(contribution)}`).join(", ")}.
        </p>
      )}
    </>
  );
}
