import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Dossier } from "../api/contract";
import { dossierQuery } from "../api/queries";
import { ProjectPage } from "../app/frame";
import { Load } from "../app/load";
import { useNow } from "../app/use-page";
import { ActorName } from "../kit/actor";
import { Facts, Section } from "../kit/document";
import { State } from "../kit/mark";
import { Scroll } from "../kit/scroll";
import { RecordTable } from "../tasks/record-table";
import { shortId } from "../words/names";
import type { Cell } from "./cell";
import { itemNameOf, type Section as Part, sectionsOf, type Table } from "./document";
import { Entries } from "./entries";
import { entriesOf } from "./proof";
import { fieldsOf, modelAnswerOf, movesOf, outcomeOf, readable } from "./reader";
import "../tasks/tasks.css";
import "./dossier.css";

function Value({ cell }: { readonly cell: Cell }) {
  switch (cell.is) {
    case "missing":
      return <span className="faint">{cell.text}</span>;
    case "code":
      return (
        <abbr className="mono" title={cell.whole}>
          {cell.text}
        </abbr>
      );
    case "actor":
      return <ActorName actor={cell} />;
    default:
      return <>{cell.text}</>;
  }
}

function PartTable({ table, title }: { readonly table: Table; readonly title: string }) {
  return (
    <Scroll className="part" label={`${title}, table ${table.title}`.trim()}>
      <table className="tbl num">
        {table.title !== "" && <caption>{table.title}</caption>}
        <thead>
          <tr>
            {table.columns.map((column) => (
              <th key={column.title} scope="col" className={column.isNumber ? "r" : ""}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows.map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the rows of a document never change places
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={table.columns[column]?.title} className={cell.is === "number" ? "r" : ""}>
                  <Value cell={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function PartSection({ part }: { readonly part: Part }) {
  return (
    <Section title={part.title}>
      {part.facts.length > 0 && (
        <Facts className="facts" facts={part.facts.map(({ term, cell }) => ({ term, fact: <Value cell={cell} /> }))} />
      )}
      {part.tables.map((table) => (
        <PartTable key={table.title} table={table} title={part.title} />
      ))}
      {part.note !== "" && <p className="faint">{part.note}</p>}
    </Section>
  );
}

const MAIN = new Set(["decision", "work", "tasks", "execution"]); // what happened; the evidence behind it stands beside

function Item({ dossier, name }: { readonly dossier: Dossier; readonly name: string }) {
  const fields = fieldsOf(dossier);
  if (fields.length === 0) return null;
  const answer = modelAnswerOf(dossier);
  const prediction = answer === "" ? null : { top: [...movesOf(dossier)] };
  return (
    <Section title={name === "" ? "Item as it was decided" : `${name} as it was decided`}>
      <RecordTable fields={fields} prediction={prediction} answer={answer} />
    </Section>
  );
}

function Content({ dossier, decision }: { readonly dossier: Dossier; readonly decision: string }) {
  const now = useNow(60_000);
  const name = itemNameOf(dossier);
  const outcome = outcomeOf(dossier);
  const entries = useMemo(() => entriesOf(dossier), [dossier]);
  const parts = sectionsOf(readable(dossier), { now });
  return (
    <>
      <div className="page-head">
        <div>
          <h1>{name === "" ? `Decision ${shortId(decision)}` : `Decision on ${name}`}</h1>
          <p>{outcome.said}</p>
        </div>
        <State of={outcome.state}>{outcome.text}</State>
      </div>
      <div className="cols dossier">
        <div className="parts">
          {parts
            .filter(({ key }) => MAIN.has(key))
            .map((part) => (
              <PartSection key={part.key} part={part} />
            ))}
          <Entries entries={entries} now={now} />
          <Item dossier={dossier} name={name} />
        </div>
        <div className="parts">
          {parts
            .filter(({ key }) => !MAIN.has(key))
            .map((part) => (
              <PartSection key={part.key} part={part} />
            ))}
        </div>
      </div>
    </>
  );
}

/** The dossier of one decision. */
export function DossierPage() {
  const { project, decision } = useParams({ from: "/signed-in/projects/$project/decisions/$decision" });
  const query = useQuery(dossierQuery(project, decision));
  return (
    <ProjectPage project={project} crumb="Decision">
      <Load query={query} what="the dossier" heading="Decision">
        {(dossier) => <Content dossier={dossier} decision={decision} />}
      </Load>
    </ProjectPage>
  );
}
