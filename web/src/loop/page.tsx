import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { Loop } from "../api/contract";
import { loopQuery } from "../api/queries";
import { ProjectPage } from "../app/frame";
import { Load } from "../app/load";
import { useProject } from "../app/use-project";
import { LastEvents } from "../journal/events";
import { Section } from "../kit/document";
import { Mark } from "../kit/mark";
import { count, counted } from "../words/number";
import { BrakeRail } from "./brake-rail";
import { CertificateDocument } from "./certificate";
import { GroupTable } from "./group-table";
import { heldGroups } from "./groups";
import { Ring } from "./ring";
import { automationSaid, loopSentence, queueSentence, simulatedSentence } from "./sentences";
import { Steer, steerable } from "./steer";
import "./loop.css";

function Head({ loop }: { readonly loop: Loop }) {
  const { open, due } = loop.queue;
  const label = due > 0 ? `Answer ${count(due)} due` : `Answer ${counted(open, "open task")}`;
  const project = useProject(loop.project.id);
  const simulated = project === undefined ? "" : simulatedSentence(project);
  return (
    <div className="page-head">
      <div>
        <h1>{loop.project.name}</h1>
        <p className="num">
          {loopSentence(loop)} {simulated}
        </p>
      </div>
      {open > 0 && (
        <div className="actions">
          <Link className="btn primary" to="/projects/$project/tasks" params={{ project: loop.project.id }}>
            {label}
          </Link>
        </div>
      )}
    </div>
  );
}

/** The brake holds some groups while the others go on. */
function GroupNotice({ loop }: { readonly loop: Loop }) {
  const held = heldGroups(loop.certificate?.groups ?? [], loop.automation);
  if (held.length === 0) return null;
  return (
    <div className="notice braked top-notice" role="alert">
      <Mark of="braked" />
      <p>
        The audits showed too many errors and the brake stopped {held.join(", ")}. {held.length === 1 ? "Its" : "Their"}{" "}
        items go to people until a person asks for a new certificate; everything else goes on.
      </p>
    </div>
  );
}

/** An alarm about automation stands above everything until its cause ends. */
function AutomationNotice({ loop }: { readonly loop: Loop }) {
  const { state } = automationSaid(loop.automation);
  if (state !== "warned" && state !== "braked") return null;
  return (
    <div className={`notice ${state} top-notice`} role="alert">
      <Mark of={state} />
      <p>
        {loop.automation === "stopped"
          ? "A person stopped automation. Every item goes to people until two people start it again."
          : state === "braked"
            ? "The audits showed too many errors and the brake stopped automation. Every item goes to people; a new certificate is needed."
            : "The audits show more errors than the certificate expects. Automation goes on; the brake stops it if this continues."}
      </p>
    </div>
  );
}

function Content({ loop }: { readonly loop: Loop }) {
  const { project, queue } = loop;
  const steering = steerable(loop.automation);
  return (
    <>
      <Head loop={loop} />
      <AutomationNotice loop={loop} />
      <GroupNotice loop={loop} />
      <div className="cols">
        <div>
          <Ring loop={loop} />
          <Section
            title="Last events"
            className="gap"
            say={
              <Link to="/projects/$project/journal" params={{ project: project.id }}>
                Journal, {counted(loop.journal_entries, "entry", "entries")}
              </Link>
            }
          >
            <LastEvents events={loop.events} project={project.id} />
          </Section>
        </div>
        <div className="aside">
          <CertificateDocument certificate={loop.certificate} project={project.id} waiting={queue.open} />
          <GroupTable certificate={loop.certificate} automation={loop.automation} />
          <BrakeRail brake={loop.brake}>{steering !== null && <Steer project={project.id} to={steering} />}</BrakeRail>
          <Section title="Queue">
            <p className="soft num">{queueSentence(queue)}</p>
          </Section>
        </div>
      </div>
    </>
  );
}

/** The front page of a project: the loop itself. */
export function LoopPage() {
  const { project } = useParams({ from: "/signed-in/projects/$project/loop" });
  const query = useQuery(loopQuery(project));
  return (
    <ProjectPage project={project} crumb="Loop" asOf={query.data?.as_of ?? ""}>
      <Load query={query} what="the loop" heading="Loop">
        {(loop) => <Content key={loop.project.id} loop={loop} />}
      </Load>
    </ProjectPage>
  );
}
