import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, Link, Outlet, redirect } from "@tanstack/react-router";
import { basePath } from "../api/address";
import { projectsQuery, sessionQuery } from "../api/queries";
import { Door } from "../door/door";
import { ProjectsPage } from "../door/projects";
import { SetUpPage } from "../door/set-up";
import { SignInPage } from "../door/sign-in";
import { DossierPage } from "../dossier/page";
import { JournalPage } from "../journal/page";
import { ProblemNotice } from "../kit/problem";
import { LoopPage } from "../loop/page";
import { TasksPage } from "../tasks/list";
import { TaskPage } from "../tasks/page";
import { ProjectFrame } from "./frame";

function NotFound() {
  return (
    <Door>
      <h1>There is no page here</h1>
      <p>The address may be old or cut short.</p>
      <Link to="/" className="btn primary">
        Open the first project
      </Link>
    </Door>
  );
}

function Failed({ error, reset }: { readonly error: unknown; readonly reset: () => void }) {
  return (
    <Door>
      <h1>The page did not load</h1>
      <p>Nothing you stored is lost.</p>
      <ProblemNotice
        error={error}
        actions={
          <button type="button" className="btn primary" onClick={reset}>
            Try now
          </button>
        }
      />
    </Door>
  );
}

const root = createRootRouteWithContext<{ readonly queries: QueryClient }>()({
  component: Outlet,
  notFoundComponent: NotFound,
});

const text = (value: unknown): string => (typeof value === "string" ? value : "");

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { next?: string } =>
    search.next === undefined ? {} : { next: text(search.next) },
  component: SignInPage,
});

const setUp = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  validateSearch: (search: Record<string, unknown>) => ({ token: text(search.token) }),
  component: SetUpPage,
});

const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  beforeLoad: async ({ context, location }) => {
    const session = await context.queries.ensureQueryData(sessionQuery);
    if (session.actor !== null) return;
    if (session.setup_needed) throw redirect({ to: "/setup", search: { token: "" } });
    throw redirect({ to: "/sign-in", search: location.pathname === "/" ? {} : { next: location.pathname } });
  },
  errorComponent: Failed,
});

const home = createRoute({
  getParentRoute: () => signedIn,
  path: "/",
  beforeLoad: async ({ context }) => {
    const [first] = await context.queries.ensureQueryData(projectsQuery);
    throw first === undefined
      ? redirect({ to: "/projects" })
      : redirect({ to: "/projects/$project/loop", params: { project: first.id } });
  },
});

const projects = createRoute({ getParentRoute: () => signedIn, path: "/projects", component: ProjectsPage });
const task = createRoute({
  getParentRoute: () => signedIn,
  path: "/projects/$project/tasks/$task",
  component: TaskPage,
});

const project = createRoute({ getParentRoute: () => signedIn, path: "/projects/$project", component: ProjectFrame });
const front = createRoute({
  getParentRoute: () => project,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/projects/$project/loop", params });
  },
});
const loop = createRoute({ getParentRoute: () => project, path: "/loop", component: LoopPage });
const tasks = createRoute({ getParentRoute: () => project, path: "/tasks", component: TasksPage });
const journal = createRoute({ getParentRoute: () => project, path: "/journal", component: JournalPage });
const decision = createRoute({ getParentRoute: () => project, path: "/decisions/$decision", component: DossierPage });

const tree = root.addChildren([
  signIn,
  setUp,
  signedIn.addChildren([home, projects, task, project.addChildren([front, loop, tasks, journal, decision])]),
]);

/** Search parameters stay plain text: the default would read a token of digits as a number. */
function readSearch(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search));
}

function writeSearch(search: Record<string, unknown>): string {
  const pairs = Object.entries(search).filter(
    (pair): pair is [string, string] => typeof pair[1] === "string" && pair[1] !== "",
  );
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs)}`;
}

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    basepath: basePath(document.baseURI),
    context: { queries },
    parseSearch: readSearch,
    stringifySearch: writeSearch,
    defaultErrorComponent: Failed,
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
