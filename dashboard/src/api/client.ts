// Owns the way to the server: the typed client of its REST interface, and Problem, the one shape of a refusal.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Run = components["schemas"]["Run"];
export type RunState = components["schemas"]["RunState"];
export type Step = components["schemas"]["Step"];
export type HistoryEvent = components["schemas"]["HistoryEvent"];
export type Failure = components["schemas"]["Failure"];
export type Workflow = components["schemas"]["Workflow"];
export type Schedule = components["schemas"]["Schedule"];
export type HumanTask = components["schemas"]["HumanTask"];
export type HumanTaskSummary = components["schemas"]["HumanTaskSummary"];
export type HumanTaskState = components["schemas"]["HumanTaskState"];
export type Finding = components["schemas"]["Finding"];

// Lists in a query are repeated, as the server reads them.
export const client = createClient<paths>({
  baseUrl: document.baseURI.replace(/\/$/, ""),
  querySerializer: { array: { style: "form", explode: true } },
});

/** Why a request was not done. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly findings: Finding[];

  constructor(problem: Partial<components["schemas"]["Problem"]>, status: number) {
    super(problem.detail ?? problem.title ?? `the server answered ${status}`);
    this.name = problem.title ?? "Request failed";
    this.code = problem.code ?? "unknown";
    this.status = status;
    this.findings = problem.findings ?? [];
  }
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The data of an answer; a refusal, and a server that cannot be reached, are thrown as Problem. */
export async function ask<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await request;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new Problem({ title: "Server not reachable", code: "unreachable", detail: String(cause) }, 0);
  }
  if (!answer.response.ok) {
    const error = answer.error;
    throw new Problem(typeof error === "object" && error !== null ? error : {}, answer.response.status);
  }
  return answer.data as T;
}
