// Owns the list of runs: a query, chips that edit it, and a table that follows what happens.
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Copy, X } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { ask, client, type Run } from "../api/client";
import { runCount } from "../api/queries";
import { useNow, When } from "../preferences/time";
import { Page } from "../shell/Page";
import { Button, Card, Empty, Loading, ProblemNote, css as ui } from "../ui";
import { STATES, StateBadge } from "../ui/StateBadge";
import { cliOf, lengthOf, readQuery, type Term, termsOf, textOf, toggle } from "./query";
import css from "./runs.module.css";

const PAGE = 100;
const REFRESH_MS = 2_000;

export function RunsPage() {
  const [search, setSearch] = useSearchParams();
  const text = search.get("q") ?? "";
  const setText = (q: string) => setSearch(q === "" ? {} : { q });
  // Relative times move on once a minute, not with every look.
  const minute = useNow(60_000);
  const { filter, flaws } = useMemo(() => readQuery(text, minute), [text, minute]);
  const sound = flaws.length === 0;
  const runs = useInfiniteQuery({
    queryKey: ["runs", filter],
    queryFn: ({ pageParam, signal }) =>
      ask(
        client.GET("/api/v1/runs", {
          params: {
            query: { ...filter, limit: PAGE, ...(pageParam === "" ? {} : { page_token: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_page_token,
    enabled: sound,
    // Who has gone on to older pages reads; the list must not move under the eyes.
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : REFRESH_MS),
  });
  const count = useQuery({ ...runCount(filter), enabled: sound });
  const rows = runs.data?.pages.flatMap((page) => page.runs) ?? [];

  return (
    <Page
      title="Runs"
      actions={
        <Button look="bare" onClick={() => navigator.clipboard.writeText(cliOf(filter))}>
          <Copy size={14} aria-hidden /> Copy as CLI
        </Button>
      }
    >
      <QueryBar text={text} setText={setText} flaws={flaws} states={count.data?.states ?? {}} />
      {runs.error !== null && <ProblemNote problem={runs.error} retry={() => runs.refetch()} />}
      <Card>
        {runs.isPending && sound ? (
          <Loading what="runs" />
        ) : rows.length === 0 ? (
          <NoRuns filtered={text !== ""} clear={() => setText("")} />
        ) : (
          <>
            <RunTable runs={rows} text={text} setText={setText} />
            <div className={css.foot}>
              <span className={ui.soft}>
                {rows.length.toLocaleString()} of {count.data?.count.toLocaleString() ?? "…"}
              </span>
              {runs.hasNextPage && (
                <Button onClick={() => runs.fetchNextPage()} disabled={runs.isFetchingNextPage}>
                  {runs.isFetchingNextPage ? "Loading…" : `Load ${PAGE} more`}
                </Button>
              )}
            </div>
          </>
        )}
      </Card>
    </Page>
  );
}

function QueryBar({
  text,
  setText,
  flaws,
  states,
}: {
  text: string;
  setText: (text: string) => void;
  flaws: string[];
  states: Record<string, number>;
}) {
  const [draft, setDraft] = useState(text);
  useEffect(() => setDraft(text), [text]);
  const terms = termsOf(text);
  return (
    <div className={ui.stack}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setText(draft.trim());
        }}
      >
        <label>
          <span className="visually-hidden">Query</span>
          <input
            data-search
            className={css.query}
            value={draft}
            onChange={(event) => setDraft(event.target.value)}
            placeholder="workflow:order-saga state:failed label:team=blue attribute:total=42 since:24h"
            spellCheck={false}
            aria-invalid={flaws.length > 0}
            aria-describedby="query-flaws"
          />
        </label>
      </form>
      <div id="query-flaws" role="status" className={css.flaws}>
        {flaws.map((flaw) => (
          <p key={flaw}>{flaw}</p>
        ))}
      </div>
      <div className={ui.row}>
        {STATES.map((state) => {
          const term = { name: "state", value: state };
          const on = terms.some((other) => other.name === "state" && other.value.split(",").includes(state));
          return (
            <button
              key={state}
              type="button"
              className={css.chip}
              aria-pressed={on}
              onClick={() => setText(toggle(text, term))}
            >
              <StateBadge state={state} />
              {states[state] !== undefined && (
                <span className={ui.number}>{states[state].toLocaleString()}</span>
              )}
            </button>
          );
        })}
        {terms
          .filter((term) => term.name !== "state")
          .map((term) => (
            <TermChip key={textOf([term])} term={term} remove={() => setText(toggle(text, term))} />
          ))}
      </div>
    </div>
  );
}

function TermChip({ term, remove }: { term: Term; remove: () => void }) {
  return (
    <button type="button" className={css.chip} onClick={remove} aria-label={`Remove ${textOf([term])}`}>
      <span className={ui.soft}>{term.name}</span> {term.value} <X size={13} aria-hidden />
    </button>
  );
}

function RunTable({ runs, text, setText }: { runs: Run[]; text: string; setText: (text: string) => void }) {
  const now = useNow(1_000);
  return (
    <div className={css.scroll}>
      <table className={ui.table}>
        <caption className="visually-hidden">Runs, newest first</caption>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Workflow</th>
            <th scope="col">Key or id</th>
            <th scope="col">Started</th>
            <th scope="col">Took</th>
            <th scope="col">Labels and attributes</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id}>
              <td>
                <StateBadge state={run.state} />
              </td>
              <td>
                <button
                  type="button"
                  className={css.word}
                  title="Only this workflow"
                  onClick={() => setText(toggle(text, { name: "workflow", value: run.workflow }))}
                >
                  {run.workflow}
                </button>{" "}
                <span className={ui.soft}>{run.version}</span>
              </td>
              <td>
                <Link to={`/runs/${run.id}`}>{run.key ?? <code>{run.id}</code>}</Link>
                {run.error !== null && <div className={css.error}>{run.error.title ?? run.error.type}</div>}
              </td>
              <td className={ui.number}>
                <When at={run.started_at} />
              </td>
              <td className={ui.number}>{lengthOf(run, now)}</td>
              <td>
                <Marks run={run} add={(term) => setText(toggle(text, term))} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Marks({ run, add }: { run: Run; add: (term: Term) => void }) {
  const labels = Object.entries(run.labels).map(([name, value]) => ({
    name: "label",
    value: `${name}=${value}`,
  }));
  const attributes = Object.entries(run.attributes).map(([name, value]) => ({
    name: "attribute",
    value: `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  }));
  return (
    <span className={ui.row}>
      {[...labels, ...attributes].map((term) => (
        <button type="button" className={css.mark} key={textOf([term])} onClick={() => add(term)}>
          {term.value}
        </button>
      ))}
    </span>
  );
}

function NoRuns({ filtered, clear }: { filtered: boolean; clear: () => void }) {
  if (filtered) {
    return (
      <Empty title="No run is like that">
        <Button onClick={clear}>Show all runs</Button>
      </Empty>
    );
  }
  return (
    <Empty title="Nothing has run yet">
      <p>Apply a workflow and start it:</p>
      <pre>{"quadrille apply -f examples/approval/workflow.yaml\nquadrille run approval --input '{}' "}</pre>
    </Empty>
  );
}
