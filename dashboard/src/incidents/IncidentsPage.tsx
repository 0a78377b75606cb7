// Owns the list of what needs a person: runs with a parked task, grouped by why it is parked.
import { useQueries, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import type { Failure, Run, Step } from "../api/client";
import { actOnRun, oneRun, runsPage, useChange } from "../api/queries";
import { When } from "../preferences/time";
import { Page } from "../shell/Page";
import { Button, Card, Dialog, Empty, Loading, ProblemNote, css as ui } from "../ui";

/** Runs looked into at once: enough to see what is wrong; resolving some shows the next. */
const RUNS_MAX = 50;

interface Group {
  key: string;
  failure: Failure;
  step: string;
  workflow: string;
  runs: Run[];
}

/** Runs whose parked tasks failed alike, the largest group first. */
export function groupsOf(runs: Run[]): Group[] {
  const groups = new Map<string, Group>();
  for (const run of runs) {
    const parked = (run.steps ?? []).filter((step): step is Step & { error: Failure } => step.error !== null);
    for (const step of parked) {
      const key = JSON.stringify([run.workflow, step.path, step.error.type, step.error.status]);
      const group = groups.get(key);
      if (group === undefined) {
        groups.set(key, { key, failure: step.error, step: step.name, workflow: run.workflow, runs: [run] });
      } else if (!group.runs.includes(run)) group.runs.push(run);
    }
  }
  return [...groups.values()].sort((a, b) => b.runs.length - a.runs.length);
}

export function IncidentsPage() {
  const list = useQuery(runsPage({ state: ["incident"] }, undefined, RUNS_MAX, true));
  // The list does not say what a run waits for; each is asked once for itself.
  const details = useQueries({ queries: (list.data?.runs ?? []).map((run) => oneRun(run.id, false)) });
  const runs = details.flatMap((detail) => (detail.data === undefined ? [] : [detail.data]));
  if (list.error !== null) return <ProblemNote problem={list.error} retry={() => list.refetch()} />;
  if (list.data === undefined) return <Loading what="incidents" />;
  return (
    <Page title="Incidents">
      {list.data.runs.length === 0 && (
        <Card>
          <Empty title="Nothing needs help">
            <p>
              A task with <code>exhausted: park</code> waits here when its retries have run out, until someone
              has fixed the cause and retries it.
            </p>
          </Empty>
        </Card>
      )}
      {groupsOf(runs).map((group) => (
        <GroupCard key={group.key} group={group} />
      ))}
    </Page>
  );
}

function GroupCard({ group }: { group: Group }) {
  const [asked, ask] = useState(false);
  const retry = useChange(async (_: null) => {
    for (const run of group.runs) await actOnRun("retry", run.id, undefined);
  });
  const many = `${group.runs.length} ${group.runs.length === 1 ? "run" : "runs"}`;
  return (
    <Card
      title={`${group.failure.title ?? group.failure.type} in ${group.step}`}
      actions={
        <>
          <span className={ui.soft}>{many}</span>
          <Button look="primary" onClick={() => ask(true)}>
            Retry all
          </Button>
        </>
      }
    >
      <p className={ui.cardBody}>{group.failure.detail}</p>
      <table className={ui.table}>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">Workflow</th>
            <th scope="col">Started</th>
          </tr>
        </thead>
        <tbody>
          {group.runs.map((run) => (
            <tr key={run.id}>
              <td>
                <Link to={`/runs/${run.id}`}>{run.key ?? run.id}</Link>
              </td>
              <td>{run.workflow}</td>
              <td>
                <When at={run.started_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Dialog
        open={asked}
        close={() => ask(false)}
        title={`Retry ${many} of ${group.workflow}?`}
        description="Their parked tasks are offered again. Do this once the cause is fixed."
      >
        {retry.error !== null && <ProblemNote problem={retry.error} />}
        <div className={ui.dialogFoot}>
          <Button onClick={() => ask(false)}>Not now</Button>
          <Button
            look="primary"
            disabled={retry.isPending}
            onClick={() => retry.mutate(null, { onSuccess: () => ask(false) })}
          >
            Retry {many}
          </Button>
        </div>
      </Dialog>
    </Card>
  );
}
