import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import type { Task } from "../api/contract";
import type { Problem } from "../api/problem";
import { ApiError } from "../api/problem";
import { projectsQuery } from "../api/queries";
import { DemoTag } from "../app/frame";
import { useLater, useNow, useTitle } from "../app/use-page";
import { useProject } from "../app/use-project";
import { KeyHelp, useKeyHelp } from "../keys/help";
import { TASK_KEY_LINES, taskCommand } from "../keys/keymap";
import { useKeys } from "../keys/use-keys";
import { Wait } from "../kit/document";
import { Key } from "../kit/keycap";
import { ProblemNotice } from "../kit/problem";
import { taskKind } from "../words/names";
import { moment, readTime } from "../words/time";
import { approvable, formOf, type Given, takes, titleOf } from "./answer";
import { AiAnswer, Question, Verbs } from "./ask";
import { proposalOf } from "./comparison";
import { type Flow, open, remedy } from "./flow";
import { ProposalTable } from "./proposal";
import { RecordTable } from "./record-table";
import { useTask } from "./use-task";
import "./tasks.css";

function nameOf(task: Task): string {
  if (task.item !== null) return task.item.name;
  return task.kind === "sign_off" ? `Sign-off of ${proposalOf(task.payload).model}` : taskKind(task.kind);
}

function Item({ task, note }: { readonly task: Task; readonly note: string }) {
  const signing = formOf(task) === "signature";
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: the item scrolls by itself, so keys must reach it
    <main className="stage" id="stage" tabIndex={0}>
      <h1>{nameOf(task)}</h1>
      {task.reason !== "" && <p className="soft why">{task.reason}</p>}
      {signing && <ProposalTable task={task} />}
      {task.item !== null && (
        <RecordTable
          fields={task.item.fields}
          prediction={task.blind ? null : task.prediction}
          answer={titleOf(task.question.options, task.prediction?.value ?? null)}
        />
      )}
      <div className="foot" role="status">
        {note !== "" && (
          <div className="toast">
            <span>{note}</span>
          </div>
        )}
      </div>
    </main>
  );
}

interface Failed {
  readonly problem: Problem;
  readonly said: string;
  readonly project: string;
  readonly again: () => void;
  readonly reclaim: () => void;
}

/** Why an answer was not stored, what is safe, and the one thing that helps. */
function NotStored({ problem, said, project, again, reclaim }: Failed) {
  const helps = remedy(problem);
  return (
    <ProblemNotice
      error={new ApiError(problem)}
      actions={
        <>
          {said !== "" && helps !== "next task" && <span className="soft">Your answer “{said}” is kept here.</span>}
          {helps === "send again" && (
            <button type="button" className="btn primary" onClick={again}>
              Send again
            </button>
          )}
          {helps === "claim again" && (
            <button type="button" className="btn primary" onClick={reclaim}>
              Claim and send again
            </button>
          )}
          {helps === "next task" && (
            <Link className="btn primary" to="/projects/$project/tasks" params={{ project }}>
              Back to the queue
            </Link>
          )}
        </>
      }
    />
  );
}

interface AtWork {
  readonly flow: Flow & { readonly task: Task };
  readonly project: string;
  readonly reason: React.RefObject<HTMLTextAreaElement | null>;
  readonly onGive: (given: Given) => void;
  readonly tell: ReturnType<typeof useTask>["tell"];
}

function Ask({ flow, project, reason, onGive, tell }: AtWork) {
  const { task } = flow;
  const busy = !open(flow);
  const signing = formOf(task) === "signature";
  const giving = { task, busy, onGive };
  return (
    <aside className="ask" aria-label="Question and answer">
      {!signing && <AiAnswer task={task} />}
      {(flow.phase === "unsent" || flow.phase === "unreturned") && (
        <NotStored
          problem={flow.problem}
          said={flow.phase === "unsent" ? flow.sending.said : ""}
          project={project}
          again={() => tell({ happened: flow.phase === "unsent" ? "asked again" : "asked to return" })}
          reclaim={() => tell({ happened: "asked to claim again" })}
        />
      )}
      <Question {...giving} />
      <label className="because">
        <span className="lbl">
          Reason, optional <Key>C</Key>
        </span>
        <textarea className="field" rows={2} maxLength={10_000} ref={reason} />
      </label>
      <Verbs {...giving} onReturn={() => tell({ happened: "asked to return" })} />
      <p className="small faint" role="status">
        {flow.phase === "storing" && "Storing your answer"}
        {flow.phase === "returning" && "Returning the task"}
      </p>
    </aside>
  );
}

function Claiming({
  flow,
  project,
  reclaim,
}: {
  readonly flow: Flow;
  readonly project: string;
  readonly reclaim: () => void;
}) {
  const later = useLater();
  if (flow.phase === "unclaimed") {
    return (
      <ProblemNotice
        error={new ApiError(flow.problem)}
        actions={
          <>
            {remedy(flow.problem) === "send again" && (
              <button type="button" className="btn primary" onClick={reclaim}>
                Claim again
              </button>
            )}
            <Link className="btn" to="/projects/$project/tasks" params={{ project }}>
              Back to the queue
            </Link>
          </>
        }
      />
    );
  }
  return later ? <Wait what="the task" /> : null;
}

function ClaimTime({ until }: { readonly until: string | null }) {
  const now = useNow();
  const end = readTime(until);
  if (end === null) return null;
  return (
    <span className="small num claim">
      {end > now
        ? `yours until ${moment(end, { now })}`
        : "your claim has ended; an answer still counts while nobody else took it"}
    </span>
  );
}

function Bench({
  project,
  id,
  note,
  onDone,
}: {
  readonly project: string;
  readonly id: string;
  readonly note: string;
  readonly onDone: (note: string, next: string | null) => void;
}) {
  const { flow, give, tell } = useTask(project, id);
  const { data: projects } = useQuery(projectsQuery);
  const found = useProject(project);
  const reason = useRef<HTMLTextAreaElement>(null);
  const help = useKeyHelp();
  const task = "task" in flow ? flow.task : null;
  useTitle(task === null ? "Task" : nameOf(task));

  const onGive = (given: Given): void => give(given, reason.current?.value ?? "");
  useKeys((press) => {
    if (task === null) return false;
    const keys = {
      options: task.question.options.length,
      approvable: approvable(task),
      signing: formOf(task) === "signature",
    };
    const command = taskCommand(press, keys);
    if (command === null) return false;
    switch (command.does) {
      case "option": {
        const option = task.question.options[command.index];
        if (option !== undefined && formOf(task) === "options") onGive({ does: "value", value: option.value });
        return true;
      }
      case "comment":
        reason.current?.focus();
        return true;
      case "help":
        help.open();
        return true;
      case "return":
        tell({ happened: "asked to return" });
        return true;
      default:
        if (takes(task, command.does)) onGive({ does: command.does });
        return true;
    }
  });

  useEffect(() => {
    if (flow.phase === "stored") onDone(`${nameOf(flow.task)} answered: ${flow.sending.said}`, flow.next);
    if (flow.phase === "returned") onDone("", null);
  }, [flow, onDone]);

  return (
    <div className="bench two">
      <header className="top">
        <div className="crumbs">
          <Link
            to="/projects/$project/tasks"
            params={{ project }}
            activeOptions={{ exact: true }}
            aria-label="Leave to the queue"
          >
            ←
          </Link>
          <span className="cut">{found?.name ?? (projects === undefined ? "" : project)}</span>
          <span className="faint" aria-hidden="true">
            /
          </span>
          <b>Queue</b>
        </div>
        <div className="end">
          {task !== null && <ClaimTime until={task.claim_until} />}
          <button type="button" className="btn quiet help" onClick={help.open}>
            Keys <Key>?</Key>
          </button>
          <DemoTag project={project} />
        </div>
      </header>
      {task === null ? (
        <main className="stage">
          <h1 className="vh">Task</h1>
          <Claiming flow={flow} project={project} reclaim={() => tell({ happened: "asked to claim again" })} />
        </main>
      ) : (
        <>
          <Item task={task} note={note} />
          <Ask
            flow={flow as Flow & { readonly task: Task }}
            project={project}
            reason={reason}
            onGive={onGive}
            tell={tell}
          />
        </>
      )}
      <KeyHelp dialog={help.dialog} lines={TASK_KEY_LINES} />
    </div>
  );
}

/** One task after the other: the answer of one leads to the next. */
export function TaskPage() {
  const { project, task } = useParams({ from: "/signed-in/projects/$project/tasks/$task" });
  const navigate = useNavigate();
  const [note, setNote] = useState("");
  const done = useRef((said: string, next: string | null): void => {
    setNote(said);
    const params = { project };
    void (next === null
      ? navigate({ to: "/projects/$project/tasks", params })
      : navigate({ to: "/projects/$project/tasks/$task", params: { project, task: next }, replace: true }));
  });
  return <Bench key={task} project={project} id={task} note={note} onDone={done.current} />;
}
