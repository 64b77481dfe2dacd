/** The only module that talks to the server. Every page calls these functions; switching to generated types ends here. */

import createClient, { type Middleware } from "openapi-fetch";
import { apiRoot } from "./address";
import type { Answered, AnswerStored, Dossier, JournalPage, Loop, Project, Session, Task, TaskPage } from "./contract";
import type { paths, SetUp, SignIn } from "./paths";
import { ApiError, readProblem, UNREACHABLE } from "./problem";
import { journalOf, loopOf, projectOf, queueOf, taskOf } from "./shape";
import { uuid } from "./token";

let csrf: string | null = null;
let isDemo = false;

/** Unsafe calls carry the token of the session and a key that makes a repeated call harmless. */
const guard: Middleware = {
  onRequest({ request }) {
    if (request.method === "GET") return request;
    if (csrf !== null) request.headers.set("X-CSRF-Token", csrf);
    if (!request.headers.has("Idempotency-Key")) request.headers.set("Idempotency-Key", uuid());
    return request;
  },
  onError() {
    return new ApiError(UNREACHABLE);
  },
};

const client = createClient<paths>({ baseUrl: apiRoot(document.baseURI), credentials: "same-origin" });
client.use(guard);

interface Reply<Body> {
  readonly data?: Body;
  readonly error?: unknown;
  readonly response: Response;
}

function body<Body>({ data, error, response }: Reply<Body>): Body {
  if (!response.ok || data === undefined) throw new ApiError(readProblem(response.status, error));
  return data;
}

function done({ error, response }: Reply<unknown>): void {
  if (!response.ok) throw new ApiError(readProblem(response.status, error));
}

export async function session(): Promise<Session> {
  const found = body(await client.GET("/api/v1/session"));
  csrf = found.csrf;
  isDemo = found.demo;
  return found;
}

export async function signIn(credentials: SignIn): Promise<void> {
  done(await client.POST("/api/v1/session", { body: credentials }));
}

export async function signOut(): Promise<void> {
  done(await client.DELETE("/api/v1/session"));
}

export async function setUp(person: SetUp): Promise<void> {
  done(await client.POST("/api/v1/setup", { body: person }));
}

export async function projects(): Promise<Project[]> {
  return body(await client.GET("/api/v1/projects")).items.map((project) => projectOf(project, isDemo));
}

export async function loop(project: string): Promise<Loop> {
  return loopOf(body(await client.GET("/api/v1/projects/{project}/loop", { params: { path: { project } } })));
}

export async function openTasks(project: string, limit: number, after?: string): Promise<TaskPage> {
  const query = { status: "open" as const, limit, ...(after === undefined ? {} : { after }) };
  return queueOf(body(await client.GET("/api/v1/projects/{project}/tasks", { params: { path: { project }, query } })));
}

export async function claim(project: string, task_id: string): Promise<Task> {
  const path = { project, task_id };
  return taskOf(body(await client.POST("/api/v1/projects/{project}/tasks/{task_id}/claim", { params: { path } })));
}

export async function release(project: string, task_id: string): Promise<void> {
  done(
    await client.POST("/api/v1/projects/{project}/tasks/{task_id}/release", { params: { path: { project, task_id } } }),
  );
}

/** The reviewer's own answer to a blind-first task; the same task comes back with the AI answer. */
export async function first(project: string, task_id: string, given: Answered, key: string): Promise<Task> {
  return taskOf(
    body(
      await client.POST("/api/v1/projects/{project}/tasks/{task_id}/first", {
        params: { path: { project, task_id } },
        body: { value: given.value, shown_at: given.shown_at },
        headers: { "Idempotency-Key": key },
      }),
    ),
  );
}

/** The key belongs to the answer, not to the call: sending again after a lost reply stores nothing twice. */
export async function answer(project: string, task_id: string, given: Answered, key: string): Promise<AnswerStored> {
  return body(
    await client.POST("/api/v1/projects/{project}/tasks/{task_id}/answer", {
      params: { path: { project, task_id } },
      body: given,
      headers: { "Idempotency-Key": key },
    }),
  );
}

/** Stops automation, or starts it again; the reason goes to the journal. */
export async function steer(project: string, to: "stop" | "restart", why: string): Promise<void> {
  const given = { params: { path: { project } }, body: { why } };
  done(
    to === "stop"
      ? await client.POST("/api/v1/projects/{project}/stop", given)
      : await client.POST("/api/v1/projects/{project}/restart", given),
  );
}

export async function journal(project: string, limit: number, before?: number): Promise<JournalPage> {
  const query = { limit, ...(before === undefined ? {} : { before }) };
  return journalOf(
    body(await client.GET("/api/v1/projects/{project}/journal", { params: { path: { project }, query } })),
    limit,
  );
}

export async function dossier(project: string, decision_id: string): Promise<Dossier> {
  return body(
    await client.GET("/api/v1/projects/{project}/decisions/{decision_id}/dossier", {
      params: { path: { project, decision_id } },
    }),
  );
}
