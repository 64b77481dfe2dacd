import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Project } from "../api/contract";
import { projectsQuery } from "../api/queries";
import { Load } from "../app/load";
import { useTitle } from "../app/use-page";
import { Empty } from "../kit/document";
import { counted } from "../words/number";
import { Door } from "./door";

function ProjectLine({ project }: { readonly project: Project }) {
  return (
    <li>
      <Link to="/projects/$project/loop" params={{ project: project.id }}>
        <b>{project.name}</b>
        {project.demo && <span className="sample">Demonstration data</span>}
        {project.description !== "" && <span className="what">{project.description}</span>}
      </Link>
    </li>
  );
}

function NoProject() {
  return (
    <Empty title="No project yet">
      <p>
        A project holds one question that a model answers and people check. The demonstration makes one from real data
        in about a minute:
      </p>
      <p className="mono">handrail demo medical</p>
    </Empty>
  );
}

export function ProjectsPage() {
  const query = useQuery(projectsQuery);
  useTitle("Projects");
  return (
    <Door>
      <Load query={query} what="the projects" heading="Projects">
        {(projects) => (
          <>
            <h1>Projects</h1>
            <p>
              {projects.length === 0
                ? "There is nothing here yet."
                : `${counted(projects.length, "project")} on this server that you may see.`}
            </p>
            {projects.length === 0 ? (
              <NoProject />
            ) : (
              <ul className="pick" aria-label="Projects">
                {projects.map((project) => (
                  <ProjectLine key={project.id} project={project} />
                ))}
              </ul>
            )}
          </>
        )}
      </Load>
    </Door>
  );
}
