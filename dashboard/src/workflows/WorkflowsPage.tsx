// Owns the list of workflows, with how their runs stand.
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { runCount, workflows } from "../api/queries";
import { Page } from "../shell/Page";
import { Card, Empty, Loading, ProblemNote, css as ui } from "../ui";
import { STATES, StateBadge } from "../ui/StateBadge";

export function WorkflowsPage() {
  const all = useQuery(workflows());
  if (all.error !== null) return <ProblemNote problem={all.error} retry={() => all.refetch()} />;
  if (all.data === undefined) return <Loading what="workflows" />;
  const latest = all.data.filter((workflow) => workflow.latest);
  return (
    <Page title="Workflows">
      <Card>
        {latest.length === 0 ? (
          <Empty title="No workflow is applied yet">
            <pre>quadrille apply -f examples/approval/workflow.yaml</pre>
          </Empty>
        ) : (
          <table className={ui.table}>
            <caption className="visually-hidden">Workflows</caption>
            <thead>
              <tr>
                <th scope="col">Workflow</th>
                <th scope="col">Latest version</th>
                <th scope="col">Versions</th>
                <th scope="col">Runs</th>
              </tr>
            </thead>
            <tbody>
              {latest.map((workflow) => (
                <tr key={workflow.workflow}>
                  <td>
                    <Link to={`/workflows/${workflow.workflow}`}>{workflow.workflow}</Link>
                  </td>
                  <td>{workflow.version}</td>
                  <td>{all.data.filter((other) => other.workflow === workflow.workflow).length}</td>
                  <td>
                    <Counts workflow={workflow.workflow} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Card>
    </Page>
  );
}

function Counts({ workflow }: { workflow: string }) {
  const count = useQuery(runCount({ workflow }));
  const states = STATES.filter((state) => (count.data?.states[state] ?? 0) > 0);
  return (
    <span className={ui.row}>
      {states.length === 0 && <span className={ui.soft}>none</span>}
      {states.map((state) => (
        <Link key={state} to={`/runs?q=${encodeURIComponent(`workflow:${workflow} state:${state}`)}`}>
          <StateBadge state={state} /> {count.data?.states[state]?.toLocaleString()}
        </Link>
      ))}
    </span>
  );
}
