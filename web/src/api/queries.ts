/** What the pages read, with how long it stays fresh. Figures are polled; a page out of sight does not poll. */

import { infiniteQueryOptions, QueryCache, QueryClient, queryOptions } from "@tanstack/react-query";
import * as api from "./client";
import { toProblem } from "./problem";

const LIVE_MS = 5_000;
const TASKS_SHOWN = 100;
const ENTRIES_SHOWN = 50;

export const sessionQuery = queryOptions({ queryKey: ["session"], queryFn: api.session, staleTime: 60_000 });

export const projectsQuery = queryOptions({ queryKey: ["projects"], queryFn: api.projects, staleTime: 30_000 });

export const loopQuery = (project: string) =>
  queryOptions({
    queryKey: ["loop", project],
    queryFn: () => api.loop(project),
    refetchInterval: LIVE_MS,
    staleTime: LIVE_MS,
  });

export const tasksQuery = (project: string) =>
  queryOptions({
    queryKey: ["tasks", project],
    queryFn: () => api.openTasks(project, TASKS_SHOWN),
    refetchInterval: LIVE_MS,
    staleTime: 0,
  });

/** The newest entries, polled so that the page can say how many wait. */
export const newestQuery = (project: string) =>
  queryOptions({
    queryKey: ["journal", project, "newest"],
    queryFn: () => api.journal(project, ENTRIES_SHOWN),
    refetchInterval: LIVE_MS,
    staleTime: 0,
  });

export const olderQuery = (project: string) =>
  infiniteQueryOptions({
    queryKey: ["journal", project, "pages"],
    queryFn: ({ pageParam }: { pageParam: number | undefined }) => api.journal(project, ENTRIES_SHOWN, pageParam),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });

export const dossierQuery = (project: string, decision: string) =>
  queryOptions({
    queryKey: ["dossier", project, decision],
    queryFn: () => api.dossier(project, decision),
    staleTime: 10_000,
  });

/** Only what may pass by itself is tried again: no answer, or a server that is busy or down. */
export function worthRetry(failures: number, error: unknown): boolean {
  const { status } = toProblem(error);
  return failures < 2 && (status === 0 || status >= 500);
}

export function newQueryClient(whenSignedOut: () => void): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (toProblem(error).status === 401) whenSignedOut();
      },
    }),
    // The browser's guess about the network is often wrong on a machine that talks to itself.
    defaultOptions: { queries: { retry: worthRetry, networkMode: "always" }, mutations: { networkMode: "always" } },
  });
}
