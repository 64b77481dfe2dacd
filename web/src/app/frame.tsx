import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useParams, useRouterState } from "@tanstack/react-router";
import { createContext, useContext, useEffect, useRef, useState } from "react";
import { signOut } from "../api/client";
import { loopQuery, sessionQuery } from "../api/queries";
import { Brand, State } from "../kit/mark";
import { automationSaid, simulatedSentence } from "../loop/sentences";
import { count } from "../words/number";
import { dateline, readTime } from "../words/time";
import { useTitle } from "./use-page";
import { useProject } from "./use-project";

const Menu = createContext<{ readonly shown: boolean; readonly toggle: () => void }>({
  shown: false,
  toggle: () => undefined,
});

function Navigation({ project }: { readonly project: string }) {
  const { data: loop } = useQuery(loopQuery(project));
  const params = { project };
  const waiting = loop ? loop.queue.open : 0;
  return (
    <nav aria-label="Project">
      <Link to="/projects/$project/loop" params={params}>
        Loop
      </Link>
      <h3>Review</h3>
      <Link to="/projects/$project/tasks" params={params}>
        Queue
        {waiting > 0 && <span className="n">{count(waiting)}</span>}
      </Link>
      <h3>Prove</h3>
      <Link to="/projects/$project/journal" params={params}>
        Journal
      </Link>
    </nav>
  );
}

function Foot({ project }: { readonly project: string }) {
  const { data: loop } = useQuery(loopQuery(project));
  const { data: session } = useQuery(sessionQuery);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const said = loop ? automationSaid(loop.automation) : null;
  const leave = async (): Promise<void> => {
    await signOut();
    queries.removeQueries({ queryKey: sessionQuery.queryKey });
    await navigate({ to: "/sign-in" });
    queries.clear(); // what the person saw leaves the memory of the page
  };
  return (
    <div className="side-foot small">
      {said !== null && (
        <span>
          <State of={said.state}>{said.text}</State>
        </span>
      )}
      {session?.actor && (
        <>
          <span className="soft who">{session.actor.name}</span>
          <button type="button" className="btn quiet leave" onClick={() => void leave()}>
            Sign out
          </button>
        </>
      )}
    </div>
  );
}

/** The frame of a project: navigation at the left, the page at the right. */
export function ProjectFrame() {
  const { project } = useParams({ from: "/signed-in/projects/$project" });
  const found = useProject(project);
  const [shown, setShown] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const [opened, setOpened] = useState(path);
  if (opened !== path) {
    setOpened(path);
    setShown(false); // a page was chosen
  }
  return (
    <Menu value={{ shown, toggle: () => setShown(!shown) }}>
      <div className="app">
        <aside id="side" className={shown ? "side shown" : "side"} aria-label="Project and automation">
          <Link to="/" className="brand" activeOptions={{ exact: true }}>
            <Brand />
            Handrail
          </Link>
          <Link to="/projects" className="project" title="All projects" activeOptions={{ exact: true }}>
            <span className="cut">{found?.name ?? project}</span>
            <span className="faint small">all</span>
          </Link>
          <Navigation project={project} />
          <Foot project={project} />
        </aside>
        <div className="main">
          <Outlet />
        </div>
      </div>
    </Menu>
  );
}

/** The tag that never leaves the top bar of a demonstration, and what in it is simulated. */
export function DemoTag({ project }: { readonly project: string }) {
  const found = useProject(project);
  if (!found?.demo) return null;
  return (
    <details className="demo">
      <summary className="sample">Demonstration data</summary>
      <p className="small">{simulatedSentence(found)}</p>
    </details>
  );
}

interface Shown {
  readonly project: string;
  readonly crumb: string;
  readonly asOf?: string;
  readonly children: React.ReactNode;
}

/** One page of a project: top bar, then the content. The content takes the focus when the page changes. */
export function ProjectPage({ project, crumb, asOf, children }: Shown) {
  const found = useProject(project);
  const menu = useContext(Menu);
  const at = readTime(asOf);
  const name = found?.name ?? project;
  const main = useRef<HTMLElement>(null);
  useTitle(`${crumb}, ${name}`);
  useEffect(() => {
    main.current?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      <header className="top">
        <button
          type="button"
          className="menu"
          aria-label="Menu"
          aria-expanded={menu.shown}
          aria-controls="side"
          onClick={menu.toggle}
        >
          <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
            <path d="M2,4.5H14M2,8H14M2,11.5H14" stroke="currentColor" strokeWidth="1.5" />
          </svg>
        </button>
        <div className="crumbs">
          <span className="cut">{name}</span>
          <span className="faint" aria-hidden="true">
            /
          </span>
          <b>{crumb}</b>
        </div>
        <div className="end">
          {at !== null && <span className="small faint nowrap dateline">{dateline(at)}</span>}
          <DemoTag project={project} />
        </div>
      </header>
      <main className="page" ref={main} tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
