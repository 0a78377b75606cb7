// Owns the query language of the list of runs: text that a person types, chips that edit the same text, and the
// filter that the server is asked with. The text is what stands in the address.
import type { RunState } from "../api/client";
import type { RunFilter } from "../api/queries";
import { duration } from "../preferences/time";
import { STATES } from "../ui/StateBadge";

/** One word of a query: `name:value`. */
export interface Term {
  name: string;
  value: string;
}

export interface Query {
  filter: RunFilter;
  /** What could not be understood, in words. */
  flaws: string[];
}

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Words are parted by blanks; a value with blanks stands in double quotes. */
export function termsOf(text: string): Term[] {
  const words = text.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
  return words.map((word) => {
    const colon = word.indexOf(":");
    const [name, value] = colon < 0 ? ["workflow", word] : [word.slice(0, colon), word.slice(colon + 1)];
    return { name, value: value.replaceAll('"', "") };
  });
}

export function textOf(terms: Term[]): string {
  return terms.map(({ name, value }) => `${name}:${/\s/.test(value) ? `"${value}"` : value}`).join(" ");
}

/** The query with a term more, or without it if it is there. */
export function toggle(text: string, term: Term): string {
  const terms = termsOf(text);
  const same = (other: Term) => other.name === term.name && other.value === term.value;
  return textOf(terms.some(same) ? terms.filter((other) => !same(other)) : [...terms, term]);
}

function instant(value: string, now: number): string | undefined {
  const ago = /^(\d+)([smhd])$/.exec(value);
  if (ago !== null) return new Date(now - Number(ago[1]) * (UNITS[ago[2] ?? ""] ?? 0)).toISOString();
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

/** What a text asks for. A relative time is taken from `now`. */
export function readQuery(text: string, now: number): Query {
  const filter: RunFilter = {};
  const flaws: string[] = [];
  for (const { name, value } of termsOf(text)) {
    if (value === "") {
      flaws.push(`${name}: needs a value`);
      continue;
    }
    switch (name) {
      case "workflow":
      case "parent":
        filter[name] = value;
        break;
      case "state": {
        const states = value.split(",");
        const unknown = states.filter((state) => !STATES.includes(state as RunState));
        if (unknown.length > 0)
          flaws.push(`no state is named ${unknown.join(", ")}; there are ${STATES.join(", ")}`);
        else filter.state = [...(filter.state ?? []), ...(states as RunState[])];
        break;
      }
      case "label":
      case "attribute":
        if (value.includes("=")) filter[name] = [...(filter[name] ?? []), value];
        else flaws.push(`${name}: needs a name and a value, such as ${name}:team=blue`);
        break;
      case "since":
      case "before": {
        const at = instant(value, now);
        if (at === undefined) flaws.push(`${value} is no time; write 15m, 24h, 7d or 2026-01-31T12:00Z`);
        else filter[name === "since" ? "started_after" : "started_before"] = at;
        break;
      }
      default:
        flaws.push(
          `nothing is named ${name}; there are workflow, state, label, attribute, parent, since, before`,
        );
    }
  }
  return { filter, flaws };
}

/** The same question on the command line. */
export function cliOf(filter: RunFilter): string {
  const words = ["quadrille list runs"];
  const quote = (value: string) =>
    /^[\w./:=,-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
  if (filter.workflow) words.push(`--workflow ${quote(filter.workflow)}`);
  for (const state of filter.state ?? []) words.push(`--state ${state}`);
  for (const label of filter.label ?? []) words.push(`--label ${quote(label)}`);
  for (const attribute of filter.attribute ?? []) words.push(`--attribute ${quote(attribute)}`);
  if (filter.parent) words.push(`--parent ${filter.parent}`);
  return words.join(" ");
}

/** How long a run took, or has taken so far. */
export function lengthOf(run: { started_at: string; ended_at: string | null }, now: number): string {
  return duration((run.ended_at === null ? now : Date.parse(run.ended_at)) - Date.parse(run.started_at));
}
