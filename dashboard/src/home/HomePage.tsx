// Owns the first page: how all runs stand now, what needs a person, what failed last, what comes next.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { runCount, runsPage, schedules } from "../api/queries";
import { When } from "../preferences/time";
import { Page } from "../shell/Page";
import { Card, Empty, Loading, ProblemNote, css as ui } from "../ui";
import { STATES, StateBadge } from "../ui/StateBadge";
import css from "./home.module.css";

const SHOWN = 6;

export function HomePage() {
  const count = useQuery(runCount({}));
  if (count.error !== null) return <ProblemNote problem={count.error} retry={() => count.refetch()} />;
  if (count.data === undefined) return <Loading what="the overview" />;
  if (count.data.count === 0) return <FirstSteps />;
  return (
    <Page title="Home">
      <ul className={css.states} aria-label="Runs by state">
        {STATES.map((state) => (
          <li key={state}>
            <Link to={`/runs?q=state:${state}`} className={css.state}>
              <span className={css.count}>{(count.data.states[state] ?? 0).toLocaleString()}</span>
              <StateBadge state={state} />
            </Link>
          </li>
        ))}
      </ul>
      <div className={css.columns}>
        <LastRuns title="Need help" state="incident" none="No run waits for a person." />
        <LastRuns title="Failed last" state="failed" none="No run has failed." />
        <NextStarts />
      </div>
    </Page>
  );
}

function LastRuns({ title, state, none }: { title: string; state: "incident" | "failed"; none: string }) {
  const runs = useQuery(runsPage({ state: [state] }, undefined, SHOWN, true));
  const rows = runs.data?.runs ?? [];
  return (
    <Card
      title={title}
      actions={<Link to={state === "incident" ? "/incidents" : `/runs?q=state:${state}`}>All</Link>}
    >
      {runs.error !== null ? <ProblemNote problem={runs.error} /> : null}
      <List none={rows.length === 0 ? none : undefined}>
        {rows.map((run) => (
          <li key={run.id}>
            <Link to={`/runs/${run.id}`}>{run.key ?? run.id.slice(0, 8)}</Link>
            <span className={ui.soft}>{run.workflow}</span>
            <span className={ui.soft}>
              <When at={run.ended_at ?? run.started_at} />
            </span>
            {run.error !== null && <p className={css.why}>{run.error.title ?? run.error.type}</p>}
          </li>
        ))}
      </List>
    </Card>
  );
}

function NextStarts() {
  const all = useQuery(schedules());
  const next = (all.data ?? [])
    .filter((schedule) => schedule.next_at !== null && !schedule.paused)
    .sort((a, b) => Date.parse(a.next_at ?? "") - Date.parse(b.next_at ?? ""))
    .slice(0, SHOWN);
  return (
    <Card title="Start next" actions={<Link to="/schedules">All</Link>}>
      <List none={next.length === 0 ? "No schedule is going to start a run." : undefined}>
        {next.map((schedule) => (
          <li key={schedule.name}>
            <span>{schedule.name}</span>
            <span className={ui.soft}>{schedule.workflow}</span>
            <span className={ui.soft}>
              <When at={schedule.next_at ?? ""} />
            </span>
          </li>
        ))}
      </List>
    </Card>
  );
}

function List({ none, children }: { none: string | undefined; children: ReactNode }) {
  return none === undefined ? (
    <ul className={css.list}>{children}</ul>
  ) : (
    <p className={`${ui.cardBody} ${ui.soft}`}>{none}</p>
  );
}

function FirstSteps() {
  return (
    <Page title="Home">
      <Card>
        <Empty title="Nothing has run yet">
          <p>Apply a workflow and start it; it shows up here at once.</p>
          <pre>
            {"quadrille apply -f examples/approval/workflow.yaml\nquadrille run approval --input '{}'"}
          </pre>
        </Empty>
      </Card>
    </Page>
  );
}
