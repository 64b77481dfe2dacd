import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useRef } from "react";
import type { TaskPage, TaskRow } from "../api/contract";
import { loopQuery, tasksQuery } from "../api/queries";
import { ProjectPage } from "../app/frame";
import { Load } from "../app/load";
import { useNow } from "../app/use-page";
import { News } from "../journal/events";
import { useHeld } from "../journal/use-held";
import { KeyHelp, useKeyHelp } from "../keys/help";
import { LIST_KEY_LINES, listCommand, stepRow } from "../keys/keymap";
import { useKeys } from "../keys/use-keys";
import { Empty } from "../kit/document";
import { Key } from "../kit/keycap";
import { taskKind } from "../words/names";
import { counted } from "../words/number";
import { due, moment, readTime } from "../words/time";
import "./tasks.css";

interface Listed {
  readonly task: TaskRow;
  readonly project: string;
  readonly now: Date;
  readonly hasDeadlines: boolean;
  readonly climbs: boolean;
}

function Row({ task, project, now, hasDeadlines, climbs }: Listed) {
  const name = task.item_name ?? taskKind(task.kind);
  const opened = readTime(task.opened_at);
  const deadline = readTime(task.deadline);
  const climbsAt = readTime(task.climbs_at);
  return (
    <tr>
      <th scope="row">
        {task.for_you ? (
          <Link to="/projects/$project/tasks/$task" params={{ project, task: task.id }}>
            {name}
          </Link>
        ) : (
          name
        )}
      </th>
      <td>{taskKind(task.kind)}</td>
      <td>{task.question}</td>
      <td className="soft">{task.for_you ? task.reason : "Needs another person than you."}</td>
      <td className="num nowrap">{opened === null ? "" : moment(opened, { now })}</td>
      {hasDeadlines && (
        <td className="num nowrap">
          {deadline === null ? <span className="faint">no deadline</span> : due(deadline, { now })}
        </td>
      )}
      {climbs && <td className="num nowrap">{climbsAt === null ? "" : due(climbsAt, { now })}</td>}
    </tr>
  );
}

/** J and K move the focus over the links of the rows. */
function useRowKeys(): React.RefObject<HTMLTableSectionElement | null> {
  const body = useRef<HTMLTableSectionElement>(null);
  useKeys((press) => {
    const command = listCommand(press);
    if (command === null || body.current === null) return false;
    const links = Array.from(body.current.querySelectorAll("a"));
    const current = links.findIndex((link) => link.matches(":focus"));
    links[stepRow(current, links.length, command)]?.focus();
    return true;
  });
  return body;
}

function Table({ page, project }: { readonly page: TaskPage; readonly project: string }) {
  const now = useNow();
  const body = useRowKeys();
  const { rows, added, gone, show } = useHeld(page.items, (task) => task.id);
  const hasDeadlines = rows.some(({ deadline }) => deadline !== null);
  const climbs = rows.some((task) => task.climbs_at !== null);
  return (
    <>
      <News added={added} what="task" show={show} />
      {gone > 0 && added === 0 && (
        <div className="news" role="status">
          <button type="button" className="btn" onClick={show}>
            {counted(gone, "task")} here {gone === 1 ? "was" : "were"} taken by others, update the list
          </button>
        </div>
      )}
      <div className="scroll">
        <table className="tbl list">
          <thead>
            <tr>
              <th scope="col">Item</th>
              <th scope="col">Kind</th>
              <th scope="col">Question</th>
              <th scope="col">Reason</th>
              <th scope="col">Opened</th>
              {hasDeadlines && <th scope="col">Due</th>}
              {climbs && <th scope="col">Next skill asked</th>}
            </tr>
          </thead>
          <tbody ref={body}>
            {rows.map((task) => (
              <Row key={task.id} task={task} project={project} now={now} hasDeadlines={hasDeadlines} climbs={climbs} />
            ))}
          </tbody>
        </table>
      </div>
      {page.next !== null && (
        <p className="small faint gap">
          The first {counted(rows.length, "task")}, most urgent first. More follow as these are answered.
        </p>
      )}
    </>
  );
}

/** The first task that this person may answer. */
function first(page: TaskPage): TaskRow | undefined {
  return page.items.find((task) => task.for_you);
}

function NothingWaits({ project }: { readonly project: string }) {
  return (
    <Empty
      title="Nothing waits for you"
      actions={
        <Link className="btn" to="/projects/$project/loop" params={{ project }}>
          See the loop
        </Link>
      }
    >
      <p>
        Every open task is answered. New ones appear here by themselves: items the model may not decide, random audits,
        labels to draw.
      </p>
    </Empty>
  );
}

/** The queue as a plain list: what people are asked, why, and until when. */
export function TasksPage() {
  const { project } = useParams({ from: "/signed-in/projects/$project/tasks" });
  const query = useQuery(tasksQuery(project));
  const { data: loop } = useQuery(loopQuery(project));
  const { dialog, open } = useKeyHelp();
  useKeys((press) => {
    if (press.key !== "?" || press.inField) return false;
    open();
    return true;
  });
  return (
    <ProjectPage project={project} crumb="Queue" asOf={loop?.as_of ?? ""}>
      <Load query={query} what="the open tasks" heading="Queue">
        {(page) => (
          <>
            <div className="page-head">
              <div>
                <h1>Queue</h1>
                <p className="num">
                  {page.items.length === 0
                    ? "No open tasks."
                    : `${counted(loop?.queue.open ?? page.items.length, "task")} wait for a person. Opening one claims it for you.`}
                </p>
              </div>
              <div className="actions">
                <button type="button" className="btn quiet" onClick={open}>
                  Keys <Key>?</Key>
                </button>
                {first(page) !== undefined && (
                  <Link
                    className="btn primary"
                    to="/projects/$project/tasks/$task"
                    params={{ project, task: first(page)?.id ?? "" }}
                  >
                    Answer the first task
                  </Link>
                )}
              </div>
            </div>
            {page.items.length === 0 ? <NothingWaits project={project} /> : <Table page={page} project={project} />}
          </>
        )}
      </Load>
      <KeyHelp dialog={dialog} lines={LIST_KEY_LINES} />
    </ProjectPage>
  );
}
