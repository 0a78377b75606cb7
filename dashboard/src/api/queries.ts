// Owns what pages ask for, each question once: keys, how often it is asked again, and the actions that change runs.
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { ask, client, type RunState } from "./client";

/** How often lists and counts are asked for again while somebody looks at them. */
const REFRESH_MS = 2_000;

/** What a list of runs is narrowed to. */
export interface RunFilter {
  workflow?: string;
  state?: RunState[];
  label?: string[];
  attribute?: string[];
  started_after?: string;
  started_before?: string;
  parent?: string;
}

export const runsPage = (filter: RunFilter, pageToken: string | undefined, limit: number, live: boolean) =>
  queryOptions({
    queryKey: ["runs", filter, pageToken, limit],
    queryFn: ({ signal }) =>
      ask(
        client.GET("/api/v1/runs", {
          params: {
            query: { ...filter, limit, ...(pageToken === undefined ? {} : { page_token: pageToken }) },
          },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: live ? REFRESH_MS : false,
  });

export const runCount = (filter: RunFilter, live = true) =>
  queryOptions({
    queryKey: ["run-count", filter],
    queryFn: ({ signal }) => ask(client.GET("/api/v1/runs/count", { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: live ? REFRESH_MS : false,
  });

export const oneRun = (id: string, live: boolean) =>
  queryOptions({
    queryKey: ["run", id],
    queryFn: ({ signal }) => ask(client.GET("/api/v1/runs/{id}", { params: { path: { id } }, signal })),
    refetchInterval: live ? REFRESH_MS : false,
  });

export const workflows = () =>
  queryOptions({
    queryKey: ["workflows"],
    queryFn: async ({ signal }) => (await ask(client.GET("/api/v1/workflows", { signal }))).workflows,
  });

/** One version with its source and graph; a version never changes. */
export const oneWorkflow = (name: string, version: string) =>
  queryOptions({
    queryKey: ["workflow", name, version],
    queryFn: ({ signal }) =>
      ask(client.GET("/api/v1/workflows/{name}", { params: { path: { name }, query: { version } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const schedules = () =>
  queryOptions({
    queryKey: ["schedules"],
    queryFn: async ({ signal }) => (await ask(client.GET("/api/v1/schedules", { signal }))).schedules,
    refetchInterval: REFRESH_MS,
  });

/** What can be done to a run that exists. */
export type RunAction = "cancel" | "terminate" | "suspend" | "resume" | "retry";

export function actOnRun(action: RunAction, id: string, reason: string | undefined): Promise<unknown> {
  const path = { path: { id } };
  const why = reason ? { reason } : {};
  switch (action) {
    case "cancel":
      return ask(client.POST("/api/v1/runs/{id}/cancel", { params: path, body: why }));
    case "terminate":
      return ask(client.POST("/api/v1/runs/{id}/terminate", { params: path, body: why }));
    case "suspend":
      return ask(client.POST("/api/v1/runs/{id}/suspend", { params: path }));
    case "resume":
      return ask(client.POST("/api/v1/runs/{id}/resume", { params: path }));
    case "retry":
      return ask(client.POST("/api/v1/runs/{id}/retry", { params: path, body: {} }));
  }
}

/** Does something and has everything on the page asked for again, whether it worked or not. */
export function useChange<T>(change: (argument: T) => Promise<unknown>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: change, onSettled: () => queries.invalidateQueries() });
}
