// Owns the page of one workflow: a version's drawing and text, its versions, and how to start it.
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { Link, useNavigate, useParams, useSearchParams } from "react-router";
import { ask, client } from "../api/client";
import { oneWorkflow, useChange, workflows } from "../api/queries";
import type { Graph } from "../graph/ir";
import { Page } from "../shell/Page";
import { Button, Card, Dialog, Loading, ProblemNote, css as ui } from "../ui";
import { hasFields, JsonField, SchemaForm, startOf } from "../ui/SchemaForm";

const GraphView = lazy(() => import("../graph/GraphView").then((module) => ({ default: module.GraphView })));
const GraphTable = lazy(() =>
  import("../graph/GraphView").then((module) => ({ default: module.GraphTable })),
);

const TABS = ["graph", "text"] as const;

export function WorkflowPage() {
  const name = useParams()["*"] ?? "";
  const [search] = useSearchParams();
  const all = useQuery(workflows());
  const versions = (all.data ?? []).filter((workflow) => workflow.workflow === name);
  const latest = versions.find((workflow) => workflow.latest)?.version;
  const version = search.get("version") ?? latest;
  const workflow = useQuery({ ...oneWorkflow(name, version ?? ""), enabled: version !== undefined });
  const tab = TABS.find((one) => one === search.get("tab")) ?? "graph";
  const [starting, start] = useState(false);
  const problem = all.error ?? workflow.error;
  if (problem !== null) return <ProblemNote problem={problem} />;
  if (all.data !== undefined && versions.length === 0) {
    return <ProblemNote problem={new Error(`no workflow is named ${name}`)} />;
  }
  if (workflow.data === undefined || version === undefined) return <Loading what="the workflow" />;
  const to = (change: Record<string, string>) => `?${new URLSearchParams({ version, tab, ...change })}`;
  const graph = workflow.data.graph as unknown as Graph;
  return (
    <Page
      title={name}
      actions={
        <>
          <Link to={`/runs?q=workflow:${name}`}>Its runs</Link>
          <Button look="primary" onClick={() => start(true)}>
            Start a run…
          </Button>
        </>
      }
    >
      <div className={ui.row}>
        <span className={ui.soft}>Version</span>
        {versions.map((one) => (
          <Link
            key={one.version}
            className={ui.tab}
            aria-current={one.version === version ? "page" : undefined}
            to={to({ version: one.version })}
          >
            {one.version}
            {one.latest ? " (latest)" : ""}
          </Link>
        ))}
      </div>
      <nav className={ui.tabs} aria-label="Forms of the workflow">
        {TABS.map((one) => (
          <Link
            key={one}
            className={ui.tab}
            aria-current={one === tab ? "page" : undefined}
            to={to({ tab: one })}
          >
            {one === "graph" ? "Graph" : "Text"}
          </Link>
        ))}
      </nav>
      {tab === "text" ? (
        <Card
          title="As its author wrote it"
          actions={
            <Button onClick={() => navigator.clipboard.writeText(workflow.data.source ?? "")}>Copy</Button>
          }
        >
          <pre className={ui.json}>{workflow.data.source}</pre>
        </Card>
      ) : (
        <Suspense fallback={<Loading what="the drawing" />}>
          <Card>
            <GraphView graph={graph} />
          </Card>
          <details>
            <summary>The same as a table</summary>
            <Card>
              <GraphTable graph={graph} />
            </Card>
          </details>
        </Suspense>
      )}
      {starting && (
        <StartDialog
          open={starting}
          close={() => start(false)}
          workflow={name}
          version={version}
          schema={graph.schemas?.input}
        />
      )}
    </Page>
  );
}

function StartDialog({
  open,
  close,
  workflow,
  version,
  schema,
}: {
  open: boolean;
  close: () => void;
  workflow: string;
  version: string;
  /** JSON Schema of the input, where the author gave one. */
  schema: unknown;
}) {
  const navigate = useNavigate();
  const [input, setInput] = useState<unknown>(() => startOf(schema));
  const [key, setKey] = useState("");
  const begin = useChange(async (_: null) => {
    const body = { workflow, version, input: input ?? {}, ...(key === "" ? {} : { key }) };
    const answer = await ask(client.POST("/api/v1/runs", { body }));
    navigate(`/runs/${answer.id}`);
  });
  return (
    <Dialog open={open} close={close} title={`Start ${workflow} ${version}`} description="It starts at once.">
      {hasFields(schema) ? (
        <SchemaForm schema={schema} value={input} change={setInput} />
      ) : (
        <JsonField name="Input, as JSON" value={input} change={setInput} />
      )}
      <label className={ui.field}>
        <span>Business key, if any</span>
        <input className={ui.input} value={key} onChange={(event) => setKey(event.target.value)} />
      </label>
      {begin.error !== null && <ProblemNote problem={begin.error} />}
      <div className={ui.dialogFoot}>
        <Button onClick={close}>Not now</Button>
        <Button look="primary" disabled={begin.isPending} onClick={() => begin.mutate(null)}>
          Start
        </Button>
      </div>
    </Dialog>
  );
}
