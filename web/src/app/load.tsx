import { Link } from "@tanstack/react-router";
import { toProblem } from "../api/problem";
import { Wait } from "../kit/document";
import { ProblemNotice } from "../kit/problem";
import { moment } from "../words/time";
import { useLater, useNow } from "./use-page";

/** The part of a query's result that is needed here; a page may pass a shaped copy. */
interface Asked<Data> {
  readonly data: Data | undefined;
  readonly isError: boolean;
  readonly error: unknown;
  readonly dataUpdatedAt: number;
  readonly refetch: () => Promise<unknown>;
}

function Waiting({ what }: { readonly what: string }) {
  return useLater() ? <Wait what={what} /> : null;
}

/** Says that the figures are old when the server stopped answering; what was loaded stays on the page. */
function Stale({ query }: { readonly query: Asked<unknown> }) {
  const now = useNow();
  const since = query.dataUpdatedAt > 0 ? moment(new Date(query.dataUpdatedAt), { now }) : "the start";
  return (
    <div className="stale">
      <ProblemNotice
        error={query.error}
        actions={
          <>
            <span className="soft">What you see is as of {since}.</span>
            <button type="button" className="btn" onClick={() => void query.refetch()}>
              Try now
            </button>
          </>
        }
      />
    </div>
  );
}

/** What is not there does not come by trying again. */
function NextStep({ error, again }: { readonly error: unknown; readonly again: () => void }) {
  if (toProblem(error).status === 404) {
    return (
      <Link to="/projects" className="btn">
        See all projects
      </Link>
    );
  }
  return (
    <button type="button" className="btn" onClick={again}>
      Try now
    </button>
  );
}

interface Loaded<Data> {
  readonly query: Asked<Data>;
  readonly what: string;
  readonly heading?: string; // the title of the page while there is nothing to show it with
  readonly children: (data: Data) => React.ReactNode;
}

/** A page part that is read from the server: loading, error, old and loaded, each said in words. */
export function Load<Data>({ query, what, heading, children }: Loaded<Data>) {
  if (query.data !== undefined) {
    return (
      <>
        {query.isError && <Stale query={query} />}
        {children(query.data)}
      </>
    );
  }
  return (
    <>
      {heading !== undefined && <h1 className="vh">{heading}</h1>}
      {query.isError ? (
        <ProblemNotice
          error={query.error}
          actions={<NextStep error={query.error} again={() => void query.refetch()} />}
        />
      ) : (
        <Waiting what={what} />
      )}
    </>
  );
}
