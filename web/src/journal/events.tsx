import { Link } from "@tanstack/react-router";
import type { JournalEntry } from "../api/contract";
import { useNow } from "../app/use-page";
import { ActorName } from "../kit/actor";
import { counted } from "../words/number";
import { moment, readTime } from "../words/time";
import { objectsOf } from "./objects";
import { useHeld } from "./use-held";

/** The button that new rows wait behind. */
export function News({
  added,
  what,
  many = `${what}s`,
  show,
}: {
  readonly added: number;
  readonly what: string;
  readonly many?: string;
  readonly show: () => void;
}) {
  return (
    <div className="news" role="status">
      {added > 0 && (
        <button type="button" className="btn" onClick={show}>
          Show {counted(added, `new ${what}`, `new ${many}`)}
        </button>
      )}
    </div>
  );
}

export function DecisionLink({
  project,
  id,
  children,
}: {
  readonly project: string;
  readonly id: string;
  readonly children: React.ReactNode;
}) {
  return (
    <Link to="/projects/$project/decisions/$decision" params={{ project, decision: id }}>
      {children}
    </Link>
  );
}

function EventRow({
  entry,
  project,
  now,
}: {
  readonly entry: JournalEntry;
  readonly project: string;
  readonly now: Date;
}) {
  const at = readTime(entry.time);
  const decision = objectsOf(entry.objects).find(({ isDecision }) => isDecision);
  return (
    <li>
      <time className="faint num" dateTime={entry.time}>
        {at === null ? entry.time : moment(at, { now })}
      </time>
      <span className="who soft">
        <ActorName actor={entry.actor} />
      </span>
      <span className="what">{entry.sentence}</span>
      {decision !== undefined && (
        <span className="more">
          <DecisionLink project={project} id={decision.id}>
            dossier<span className="vh"> of decision {decision.short}</span>
          </DecisionLink>
        </span>
      )}
    </li>
  );
}

/** The last entries of the journal, newest first; new ones wait until they are asked for. */
export function LastEvents({
  events,
  project,
}: {
  readonly events: readonly JournalEntry[];
  readonly project: string;
}) {
  const now = useNow(60_000);
  const { rows, added, show } = useHeld(events, (entry) => entry.index);
  if (rows.length === 0)
    return <p className="soft">Nothing has happened yet. The first import or answer is written here.</p>;
  return (
    <>
      <News added={added} what="event" show={show} />
      <ol className="events">
        {rows.map((entry) => (
          <EventRow key={entry.index} entry={entry} project={project} now={now} />
        ))}
      </ol>
    </>
  );
}
