// Owns what is asked about work for people, and what people do with it.
import { queryOptions } from "@tanstack/react-query";
import { ask, client, type HumanTask, type HumanTaskState } from "../api/client";

const REFRESH_MS = 2_000;

/** How many the inbox shows; the most urgent come first. */
const SHOWN_MAX = 200;

export interface TaskFilter {
  state?: HumanTaskState[];
  assignee?: string;
  group?: string;
  run?: string;
}

export const humanTasks = (filter: TaskFilter) =>
  queryOptions({
    queryKey: ["human-tasks", filter],
    queryFn: async ({ signal }) => {
      const query = { ...filter, limit: SHOWN_MAX };
      return (await ask(client.GET("/api/v1/human-tasks", { params: { query }, signal }))).human_tasks;
    },
    refetchInterval: REFRESH_MS,
  });

export const humanTask = (id: string) =>
  queryOptions({
    queryKey: ["human-task", id],
    queryFn: ({ signal }) =>
      ask(client.GET("/api/v1/human-tasks/{id}", { params: { path: { id } }, signal })),
    refetchInterval: REFRESH_MS,
  });

/** What one person does with one task. */
export type Deed =
  | { do: "claim" | "release" }
  | { do: "assign"; assignee: string }
  | { do: "comment"; text: string }
  | { do: "reject"; reason: string }
  | { do: "complete"; data: unknown; outcome: string | undefined; comment: string };

export function act(task: Pick<HumanTask, "id">, by: string, deed: Deed): Promise<unknown> {
  const params = { path: { id: task.id } };
  switch (deed.do) {
    case "claim":
      return ask(client.POST("/api/v1/human-tasks/{id}/claim", { params, body: { by } }));
    case "release":
      return ask(client.POST("/api/v1/human-tasks/{id}/release", { params, body: { by } }));
    case "assign": {
      const body = { by, ...(deed.assignee === "" ? {} : { assignee: deed.assignee }) };
      return ask(client.POST("/api/v1/human-tasks/{id}/assign", { params, body }));
    }
    case "comment":
      return ask(client.POST("/api/v1/human-tasks/{id}/comment", { params, body: { by, text: deed.text } }));
    case "reject": {
      const body = { by, ...(deed.reason === "" ? {} : { reason: deed.reason }) };
      return ask(client.POST("/api/v1/human-tasks/{id}/reject", { params, body }));
    }
    case "complete": {
      const body = {
        by,
        data: deed.data ?? null,
        ...(deed.outcome === undefined ? {} : { outcome: deed.outcome }),
        ...(deed.comment === "" ? {} : { comment: deed.comment }),
      };
      return ask(client.POST("/api/v1/human-tasks/{id}/complete", { params, body }));
    }
  }
}
