// Serves the built pages with SAMPLE data: `npm run build && npm run sample`. For looking at pages; never shipped, never used by tests of the product.
// Address: http://127.0.0.1:8750/rail/ (a path prefix, as behind a proxy). SAMPLE_AS=nobody shows sign-in, SAMPLE_AS=setup the first run.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { detail, dossier, entries, loop, newTasks, projects } from "./sample-data.mjs";

const UI = new URL("../../src/handrail/ui_dist/", import.meta.url).pathname;
const PREFIX = process.env.SAMPLE_PREFIX ?? "/rail";
const PORT = Number(process.env.SAMPLE_PORT ?? 8750);
const TYPES = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".html": "text/html; charset=utf-8",
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'self'; object-src 'none'";

let actor = process.env.SAMPLE_AS ? null : { kind: "person", id: "p1", name: "M. Okafor" };
let tasks = newTasks();
let newest = 4206;
let failing = 0; // how many of the next answers fail, to look at the notice

const problem = (status, code, title, detail, hint = "") => ({
  status,
  body: { type: "about:blank", title, status, code, detail, hint },
});
const ok = (body) => ({ status: 200, body });
const session = () => ({
  actor,
  setup_needed: process.env.SAMPLE_AS === "setup" && actor === null,
  csrf: actor ? "sample" : null,
  demo: true,
});

function aboutTask(rest, method, given) {
  const row = tasks.find((one) => one.id === rest[1]);
  if (rest[1] === undefined || method === "GET") return ok({ items: tasks, next: null, counts: {} });
  if (row === undefined)
    return problem(409, "tasks.already_answered", "Conflict", "This task has its answer.", "Take the next one.");
  if (rest[2] === "claim") return ok(detail(row));
  if (rest[2] === "release") return { status: 204 };
  if (failing > 0) {
    failing -= 1;
    return problem(
      503,
      "storage.busy",
      "Busy",
      "The server is busy and stored nothing.",
      "Send the answer again in a moment.",
    );
  }
  console.log("answer", JSON.stringify(given));
  tasks = tasks.filter((one) => one !== row);
  newest += 1;
  return ok({ answer_id: "a1", next_task_id: tasks[0]?.id ?? null });
}

function inProject([project, ...rest], method, given, query) {
  if (!projects.some((one) => one.id === project))
    return problem(
      404,
      "datasets.project_not_found",
      "Not found",
      `There is no project ${project}.`,
      "The list of projects names those that you may see.",
    );
  if (rest[0] === "loop") return ok(loop(project, newest));
  if (rest[0] === "tasks")
    return project === "fresh" ? ok({ items: [], next: null, counts: {} }) : aboutTask(rest, method, given);
  if (rest[0] === "journal") {
    if (project === "fresh") return ok({ items: [], next: null });
    const from = query.has("before") ? Number(query.get("before")) - 1 : newest;
    const items = entries(from, Number(query.get("limit") ?? 50));
    return ok({ items, next: items.at(-1)?.index > 0 ? items.at(-1).index : null });
  }
  if (rest[0] === "decisions") return ok(dossier(rest[1]));
  if (rest[0] === "stop")
    return problem(
      403,
      "identity.permission_missing",
      "Not allowed",
      "You may read this and not stop it.",
      "M. Okafor has the role lead.",
    );
  return problem(404, "request.no_such_path", "Not found", "The API has no such address.");
}

function aboutSession(method, given) {
  if (method === "DELETE") actor = null;
  if (method === "POST") {
    if (given.password !== "sample")
      return problem(
        401,
        "identity.wrong_password",
        "Not signed in",
        "This e-mail and password do not belong together.",
        "After five tries wait a minute.",
      );
    actor = { kind: "person", id: "p1", name: "M. Okafor" };
  }
  return method === "DELETE" ? { status: 204 } : ok(session());
}

function api(path, method, given, query) {
  const [first, ...rest] = path.split("/").filter(Boolean);
  if (first === "sample-fail") {
    failing = 1;
    return ok({});
  }
  if (first === "session") return aboutSession(method, given);
  if (first === "setup") {
    if (given.token !== "sample")
      return problem(
        403,
        "identity.setup_link_used",
        "Not allowed",
        "This link was used or is too old.",
        "Start the server again; it prints a new one.",
      );
    actor = { kind: "person", id: "p1", name: given.name };
    return ok(session());
  }
  if (actor === null)
    return problem(401, "identity.not_signed_in", "Not signed in", "Nobody is signed in.", "Sign in.");
  if (first !== "projects") return problem(404, "request.no_such_path", "Not found", "The API has no such address.");
  return rest.length === 0 ? ok({ items: projects }) : inProject(rest, method, given, query);
}

function page(path, response) {
  const name = normalize(path).replace(/^\/+/, "");
  const isFile = extname(name) !== "" && !name.startsWith("..");
  const content = readFileSync(join(UI, isFile ? name : "index.html"));
  const type = TYPES[isFile ? extname(name) : ".html"];
  response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": POLICY, "Cache-Control": "no-cache" });
  response.end(isFile ? content : content.toString().replace('<base href="/" />', `<base href="${PREFIX}/" />`));
}

createServer(async (request, response) => {
  const url = new URL(request.url, "http://sample");
  if (!url.pathname.startsWith(`${PREFIX}/`)) return response.writeHead(404).end("outside the prefix");
  const path = url.pathname.slice(PREFIX.length);
  try {
    if (!path.startsWith("/api/v1/")) return page(path, response);
    let text = "";
    for await (const part of request) text += part;
    const { status, body } = api(
      path.slice("/api/v1".length),
      request.method,
      text === "" ? {} : JSON.parse(text),
      url.searchParams,
    );
    response.writeHead(status, { "Content-Type": status < 400 ? "application/json" : "application/problem+json" });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  } catch (error) {
    response.writeHead(404).end(String(error));
  }
}).listen(PORT, "127.0.0.1", () => console.log(`SAMPLE pages at http://127.0.0.1:${PORT}${PREFIX}/`));
