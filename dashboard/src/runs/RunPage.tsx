// Owns the page of one run: its head, its tabs, and the live history that all of them are drawn from.
import { useQuery } from "@tanstack/react-query";
import { Pause, Play } from "lucide-react";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import type { Run } from "../api/client";
import { type LiveHistory, useLiveHistory } from "../api/live";
import { oneRun, oneWorkflow } from "../api/queries";
import type { Graph } from "../graph/ir";
import { useNow, When } from "../preferences/time";
import { Page } from "../shell/Page";
import { Button, Card, Facts, Json, Loading, ProblemNote, css as ui } from "../ui";
import { isLive, StateBadge } from "../ui/StateBadge";
import { EventList } from "./EventList";
import { FailureFacts } from "./FailureFacts";
import { lengthOf } from "./query";
import { RunActions } from "./RunActions";
import css from "./runs.module.css";
import { StepPanel } from "./StepPanel";
import { Timeline } from "./Timeline";
import { standings, type Trace, traceOf, type Visit } from "./trace";

// The drawing and its layout are the heaviest part of the page; who does not look at it does not load it.
const GraphView = lazy(() => import("../graph/GraphView").then((module) => ({ default: module.GraphView })));
const GraphTable = lazy(() =>
  import("../graph/GraphView").then((module) => ({ default: module.GraphTable })),
);

const TABS = ["overview", "graph", "timeline", "events", "data"] as const;
type Tab = (typeof TABS)[number];

export function RunPage() {
  const { id = "" } = useParams();
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find((name) => name === search.get("tab")) ?? "overview";
  const chosen = search.get("step") ?? undefined;
  const [paused, setPaused] = useState(false);
  const history = useLiveHistory(id, paused);
  const trace = useMemo(() => traceOf(history.events), [history.events]);
  const run = useQuery(oneRun(id, history.line !== "over" && !paused));
  // What the history tells is newer than the run as it was last asked for; its end is the last word.
  const { refetch } = run;
  useEffect(() => {
    if (history.line === "over") refetch();
  }, [history.line, refetch]);
  const change = (next: Record<string, string | undefined>) => {
    const to = new URLSearchParams(search);
    for (const [name, value] of Object.entries(next)) {
      if (value === undefined) to.delete(name);
      else to.set(name, value);
    }
    setSearch(to, { replace: true });
  };

  if (run.error !== null) return <ProblemNote problem={run.error} retry={() => run.refetch()} />;
  if (run.data === undefined) return <Loading what="the run" />;
  const visit = trace.visits.find((one) => one.id === chosen);
  return (
    <Page
      title={run.data.key ?? run.data.id}
      head={<Head run={run.data} />}
      actions={
        <>
          <LineMark history={history} paused={paused} setPaused={setPaused} />
          <RunActions run={run.data} />
        </>
      }
    >
      <nav className={ui.tabs} aria-label="Parts of the run">
        {TABS.map((name) => (
          <Link
            key={name}
            className={ui.tab}
            aria-current={name === tab ? "page" : undefined}
            to={`?tab=${name}`}
            replace
          >
            {name[0]?.toUpperCase()}
            {name.slice(1)}
          </Link>
        ))}
      </nav>
      <div className={visit === undefined ? ui.stack : css.split}>
        <Part
          tab={tab}
          run={run.data}
          history={history}
          trace={trace}
          chosen={visit}
          choose={(one) => change({ step: one?.id })}
        />
        {visit !== undefined && (
          <StepPanel visit={visit} run={run.data} close={() => change({ step: undefined })} />
        )}
      </div>
    </Page>
  );
}

function Part({
  tab,
  run,
  history,
  trace,
  chosen,
  choose,
}: {
  tab: Tab;
  run: Run;
  history: LiveHistory;
  trace: Trace;
  chosen: Visit | undefined;
  choose: (visit: Visit | undefined) => void;
}) {
  switch (tab) {
    case "overview":
      return <Overview run={run} />;
    case "graph":
      return <RunGraph run={run} trace={trace} chosen={chosen} choose={choose} />;
    case "timeline":
      return <Timeline trace={trace} chosen={chosen} choose={choose} />;
    case "events":
      return <EventList run={run} events={history.events} />;
    case "data":
      return (
        <div className={ui.stack}>
          <Card title="Input">
            <Json value={run.input} />
          </Card>
          <Card title="Output">
            <Json value={run.output} />
          </Card>
        </div>
      );
  }
}

function Head({ run }: { run: Run }) {
  return (
    <div>
      <div className={ui.row}>
        <h1>{run.key ?? run.id}</h1>
        <StateBadge state={run.state} />
      </div>
      <p className={ui.soft}>
        <Link to={`/workflows/${run.workflow}?version=${run.version}`}>{run.workflow}</Link> {run.version}
        {run.key !== null && (
          <>
            {" · "}
            <code>{run.id}</code>
          </>
        )}
      </p>
    </div>
  );
}

const LINES = {
  connecting: "connecting",
  live: "live",
  stale: "connection lost, trying again",
  over: "complete",
} as const;

function LineMark({
  history,
  paused,
  setPaused,
}: {
  history: LiveHistory;
  paused: boolean;
  setPaused: (paused: boolean) => void;
}) {
  return (
    <>
      <span className={css.line} data-line={paused ? "paused" : history.line} role="status">
        <span className={css.dot} aria-hidden />
        {paused ? "paused" : LINES[history.line]}
      </span>
      {history.line !== "over" && (
        <Button
          look="bare"
          onClick={() => setPaused(!paused)}
          aria-label={paused ? "Follow the run" : "Pause updates"}
        >
          {paused ? <Play size={15} aria-hidden /> : <Pause size={15} aria-hidden />}
        </Button>
      )}
    </>
  );
}

function Overview({ run }: { run: Run }) {
  const now = useNow(1_000);
  const children = run.children ?? [];
  return (
    <div className={ui.stack}>
      {run.error !== null && (
        <Card title="Why it ended">
          <div className={ui.cardBody}>
            <FailureFacts failure={run.error} />
          </div>
        </Card>
      )}
      <Card title="About this run">
        <div className={ui.cardBody}>
          <Facts
            facts={[
              ["Started", <When key="s" at={run.started_at} />],
              ["Ended", run.ended_at === null ? "not yet" : <When key="e" at={run.ended_at} />],
              [isLive(run.state) ? "Running for" : "Took", lengthOf(run, now)],
              ["Business key", run.key ?? "none"],
              [
                "Parent",
                run.parent === null ? (
                  "none"
                ) : (
                  <Link key="p" to={`/runs/${run.parent}`}>
                    <code>{run.parent}</code>
                  </Link>
                ),
              ],
              ...Object.entries(run.labels).map(([name, value]): [string, string] => [
                `label ${name}`,
                value,
              ]),
              ...Object.entries(run.attributes).map(([name, value]): [string, string] => [
                `attribute ${name}`,
                JSON.stringify(value),
              ]),
            ]}
          />
        </div>
      </Card>
      {run.steps !== undefined && run.steps.length > 0 && <Doing run={run} />}
      {children.length > 0 && (
        <Card
          title={`Children (${children.length})`}
          actions={<Link to={`/runs?q=parent:${run.id}`}>As a list</Link>}
        >
          <ul className={ui.cardBody}>
            {children.slice(0, 50).map((child) => (
              <li key={child}>
                <Link to={`/runs/${child}`}>
                  <code>{child}</code>
                </Link>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </div>
  );
}

function Doing({ run }: { run: Run }) {
  return (
    <Card title="What it is doing now">
      <table className={ui.table}>
        <thead>
          <tr>
            <th scope="col">Step</th>
            <th scope="col">Why it waits</th>
            <th scope="col">Attempt</th>
            <th scope="col">Since</th>
          </tr>
        </thead>
        <tbody>
          {run.steps?.map((step) => (
            <tr key={step.id}>
              <td title={step.path}>{step.name}</td>
              <td>
                {step.detail}
                {step.error !== null && (
                  <div className={css.error}>{step.error.detail ?? step.error.title}</div>
                )}
              </td>
              <td>{step.attempt}</td>
              <td className={ui.number}>
                <When at={step.entered_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function RunGraph({
  run,
  trace,
  chosen,
  choose,
}: {
  run: Run;
  trace: Trace;
  chosen: Visit | undefined;
  choose: (visit: Visit | undefined) => void;
}) {
  const workflow = useQuery(oneWorkflow(run.workflow, run.version));
  const standing = useMemo(() => standings(trace), [trace]);
  if (workflow.error !== null) return <ProblemNote problem={workflow.error} />;
  const graph = workflow.data?.graph as unknown as Graph | undefined;
  if (graph === undefined) return <Loading what="the graph" />;
  return (
    <Suspense fallback={<Loading what="the drawing" />}>
      <div className={ui.stack}>
        <Card>
          <GraphView
            graph={graph}
            standings={standing}
            selected={chosen?.node}
            select={(node) => choose(trace.visits.findLast((visit) => visit.node === node))}
          />
        </Card>
        <details>
          <summary>The same as a table</summary>
          <Card>
            <GraphTable graph={graph} standings={standing} />
          </Card>
        </details>
      </div>
    </Suspense>
  );
}
