// Owns the shape of a compiled workflow as the server gives it: what drawings and traces need of it, no more.

export type Next = "exit" | "end" | { node: number };

export interface Node {
  name: string;
  path: string;
  body: number;
  when?: string;
  undo?: number;
  next: Next;
  kind: Kind;
}

/** One key says what the node does; its value is how. Kinds without settings are only their name. */
export type Kind = string | Record<string, unknown>;

export interface Case {
  when?: string;
  next: Next;
}

export interface Graph {
  workflow: string;
  version: string;
  bodies: { path: string; first?: number }[];
  nodes: Node[];
  schemas?: { input?: unknown };
}

export function kindOf(node: Node): string {
  return typeof node.kind === "string" ? node.kind : (Object.keys(node.kind)[0] ?? "");
}

function settings(node: Node): unknown {
  return typeof node.kind === "string" ? undefined : Object.values(node.kind)[0];
}

/** The ways out of a node other than its `next`, with what leads there. */
export function casesOf(node: Node): Case[] {
  const kind = kindOf(node);
  return kind === "switch" || kind === "split" ? (settings(node) as Case[]) : [];
}

/** The bodies that a node opens, each with what it is for. */
export function bodiesOf(node: Node): { body: number; role: string }[] {
  const value = settings(node);
  const found: { body: number; role: string }[] = [];
  const add = (body: unknown, role: string) => {
    if (typeof body === "number") found.push({ body, role });
  };
  switch (kindOf(node)) {
    case "do":
    case "saga":
      add(value, "");
      break;
    case "fork":
      for (const branch of (value as { branches: number[] }).branches) add(branch, "branch");
      break;
    case "try": {
      const tried = value as { body: number; catch?: { body?: number }; finally?: number };
      add(tried.body, "");
      add(tried.catch?.body, "catch");
      add(tried.finally, "finally");
      break;
    }
    default:
      if (typeof value === "object" && value !== null && "body" in value) add(value.body, "");
  }
  add(node.undo, "undo");
  return found;
}

/** What a node is about in a few words, such as the name of its task. */
export function aboutOf(node: Node): string {
  const value = settings(node);
  const literal = (template: unknown) =>
    typeof template === "object" && template !== null && "literal" in template
      ? String(template.literal)
      : "…";
  switch (kindOf(node)) {
    case "task": {
      const task = value as { queue: unknown; name: unknown };
      const [queue, name] = [literal(task.queue), literal(task.name)];
      return queue === name ? name : `${name} on ${queue}`;
    }
    case "listen":
      return (value as { filters: { event_type: string }[] }).filters
        .map((filter) => filter.event_type)
        .join(", ");
    case "child":
      return literal((value as { workflow: unknown }).workflow);
    case "for_each":
      return (value as { items: string }).items;
    default:
      return "";
  }
}
