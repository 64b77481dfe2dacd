import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { JournalEntry } from "../api/contract";
import { newestQuery, olderQuery } from "../api/queries";
import { ProjectPage } from "../app/frame";
import { Load } from "../app/load";
import { useNow } from "../app/use-page";
import { ActorName } from "../kit/actor";
import { Empty } from "../kit/document";
import { ProblemNotice } from "../kit/problem";
import { count } from "../words/number";
import { momentExact, readTime } from "../words/time";
import { DecisionLink, News } from "./events";
import { objectsOf } from "./objects";
import "./journal.css";

function Objects({ entry, project }: { readonly entry: JournalEntry; readonly project: string }) {
  const about = objectsOf(entry.objects);
  if (about.length === 0) return null;
  return (
    <ul className="objects small faint" aria-label="About">
      {about.map(({ role, id, short, isDecision }) => (
        <li key={`${role} ${id}`}>
          {isDecision ? (
            <DecisionLink project={project} id={id}>
              {role} <span className="mono">{short}</span>
            </DecisionLink>
          ) : (
            <span title={id}>
              {role} <span className="mono">{short}</span>
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

function Entries({ entries, project }: { readonly entries: readonly JournalEntry[]; readonly project: string }) {
  const now = useNow(60_000);
  return (
    <div className="scroll">
      <table className="tbl journal">
        <thead>
          <tr>
            <th scope="col" className="r">
              Entry
            </th>
            <th scope="col">Time</th>
            <th scope="col">Actor</th>
            <th scope="col">What happened</th>
            <th scope="col">Verb</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => {
            const at = readTime(entry.time);
            return (
              <tr key={entry.index}>
                <td className="r num">{count(entry.index)}</td>
                <td className="num nowrap">{at === null ? entry.time : momentExact(at, { now })}</td>
                <td className="by">
                  <ActorName actor={entry.actor} />
                </td>
                <td className="said">
                  {entry.sentence}
                  <Objects entry={entry} project={project} />
                </td>
                <td className="mono soft verb">{entry.verb}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** How many entries came since the newest one on screen; they wait behind a button. */
function useNews(
  project: string,
  shown: readonly JournalEntry[],
): { readonly added: number; readonly show: () => void } {
  const { data } = useQuery(newestQuery(project));
  const queries = useQueryClient();
  const newest = shown[0]?.index ?? -1;
  const added = shown.length === 0 ? 0 : (data?.items.filter(({ index }) => index > newest).length ?? 0);
  return { added, show: () => void queries.resetQueries({ queryKey: olderQuery(project).queryKey }) };
}

/** The journal as a plain table, newest first. */
export function JournalPage() {
  const { project } = useParams({ from: "/signed-in/projects/$project/journal" });
  const query = useInfiniteQuery(olderQuery(project));
  const shown = query.data?.pages.flatMap((page) => page.items) ?? [];
  const { added, show } = useNews(project, shown);
  return (
    <ProjectPage project={project} crumb="Journal">
      <div className="page-head">
        <div>
          <h1>Journal</h1>
          <p>
            Every change, who made it and what it was about, in the order it happened. Entries are never changed or
            removed.
          </p>
        </div>
      </div>
      <News added={added} what="entry" many="entries" show={show} />
      <Load query={{ ...query, data: query.data === undefined ? undefined : shown }} what="the journal">
        {(entries) =>
          entries.length === 0 ? (
            <Empty title="Nothing has happened yet">
              <p>The first import, label or decision is written here.</p>
            </Empty>
          ) : (
            <>
              <Entries entries={entries} project={project} />
              <div className="news older">
                {query.isFetchNextPageError && <ProblemNotice error={query.error} />}
                {query.hasNextPage ? (
                  <button
                    type="button"
                    className="btn"
                    disabled={query.isFetchingNextPage}
                    onClick={() => void query.fetchNextPage()}
                  >
                    {query.isFetchingNextPage ? "Loading older entries" : "Show older entries"}
                  </button>
                ) : (
                  <p className="small faint">This is the beginning of the journal.</p>
                )}
              </div>
            </>
          )
        }
      </Load>
    </ProjectPage>
  );
}
