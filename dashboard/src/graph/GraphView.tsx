// Owns the drawing of a workflow, still or with the standing of a run on it. The same for definitions and live runs.
//
// Invariant: whatever the drawing tells is told by its table too.
import {
  Background,
  Controls,
  type Edge,
  Handle,
  MiniMap,
  type Node,
  type NodeProps,
  Position,
  ReactFlow,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import {
  Ban,
  Check,
  CircleDot,
  Clock3,
  Ear,
  GitFork,
  type LucideIcon,
  Merge,
  PenLine,
  Radio,
  Repeat,
  ShieldAlert,
  ShieldCheck,
  Split,
  SquareStack,
  TriangleAlert,
  Undo2,
  Workflow,
  Wrench,
  X,
} from "lucide-react";
import { useMemo } from "react";
import { usePreferences } from "../preferences";
import type { NodeStanding } from "../runs/trace";
import { css as ui } from "../ui";
import css from "./graph.module.css";
import { aboutOf, type Graph, kindOf } from "./ir";
import { type Box, draw } from "./layout";

const SIGNS: Record<string, LucideIcon> = {
  task: Wrench,
  set: PenLine,
  switch: Split,
  do: SquareStack,
  loop: Repeat,
  for_each: Repeat,
  fork: GitFork,
  try: ShieldCheck,
  saga: Undo2,
  raise: TriangleAlert,
  wait: Clock3,
  listen: Ear,
  emit: Radio,
  child: Workflow,
  split: Split,
  join: Merge,
  merge: Merge,
};

export type Standings = Map<number, NodeStanding>;

type Tone = "good" | "bad" | "busy" | "calm";

/** What to tell of a node: its most urgent standing and how often. */
function tell(standing: NodeStanding | undefined): [Tone, LucideIcon, string] | undefined {
  if (standing === undefined) return undefined;
  if (standing.parked > 0) return ["bad", ShieldAlert, `${standing.parked} needs help`];
  if (standing.running > 0)
    return ["busy", CircleDot, standing.running === 1 ? "running" : `${standing.running} running`];
  if (standing.failed > 0) return ["bad", X, standing.failed === 1 ? "failed" : `${standing.failed} failed`];
  if (standing.cancelled > 0) return ["calm", Ban, "cancelled"];
  const done = standing.completed;
  return done > 0 ? ["good", Check, done === 1 ? "done" : `${done} done`] : undefined;
}

interface Shown extends Record<string, unknown> {
  box: Box;
  name: string;
  kind: string;
  about: string;
  holds: boolean;
  standing: NodeStanding | undefined;
}

function StepNode({ data, selected }: NodeProps<Node<Shown>>) {
  const Sign = SIGNS[data.kind] ?? Wrench;
  const told = tell(data.standing);
  return (
    <div
      className={`${css.node} ${data.holds ? css.holder : ""}`}
      data-tone={told?.[0]}
      data-selected={selected}
    >
      <Handle type="target" position={Position.Top} className={css.handle ?? ""} />
      <div className={css.title}>
        <Sign size={15} aria-hidden />
        <span className={css.name}>{data.name}</span>
        {told !== undefined && <Told told={told} />}
      </div>
      {data.about !== "" && <div className={css.about}>{data.about}</div>}
      <Handle type="source" position={Position.Bottom} className={css.handle ?? ""} />
    </div>
  );
}

function Told({ told: [tone, Sign, words] }: { told: [Tone, LucideIcon, string] }) {
  return (
    <span className={`${ui.badge} ${ui[tone]} ${css.told}`}>
      <Sign size={12} aria-hidden />
      {words}
    </span>
  );
}

function BodyNode({ data }: NodeProps<Node<Shown>>) {
  return <div className={css.body}>{data.box.role !== "" && <span>{data.box.role}</span>}</div>;
}

function DotNode({ data }: NodeProps<Node<Shown>>) {
  return (
    <div className={css.dot} data-end={data.box.id === "end"} title={data.box.id}>
      <Handle type="target" position={Position.Top} className={css.handle ?? ""} />
      <Handle type="source" position={Position.Bottom} className={css.handle ?? ""} />
    </div>
  );
}

const TYPES = { step: StepNode, body: BodyNode, dot: DotNode };

export function GraphView({
  graph,
  standings,
  selected,
  select,
}: {
  graph: Graph;
  standings?: Standings;
  selected?: number | undefined;
  select?: (node: number | undefined) => void;
}) {
  const [{ theme }] = usePreferences();
  const drawing = useMemo(() => draw(graph), [graph]);
  const nodes = useMemo(
    () =>
      drawing.boxes.map((box): Node<Shown> => {
        const node = box.node === undefined ? undefined : graph.nodes[box.node];
        const holds = box.node !== undefined && drawing.boxes.some((inner) => inner.parent === box.id);
        return {
          id: box.id,
          type: node !== undefined ? "step" : box.body !== undefined ? "body" : "dot",
          position: { x: box.x, y: box.y + (box.role ? 10 : 0) },
          ...(box.parent === undefined ? {} : { parentId: box.parent }),
          style: { width: box.width, height: box.height },
          selectable: node !== undefined,
          selected: box.node !== undefined && box.node === selected,
          ariaLabel: node?.name ?? box.id,
          data: {
            box,
            name: node?.name ?? "",
            kind: node === undefined ? "" : kindOf(node),
            about: node === undefined || holds ? "" : aboutOf(node),
            holds,
            standing: box.node === undefined ? undefined : standings?.get(box.node),
          },
        };
      }),
    [drawing, graph, standings, selected],
  );
  const edges = useMemo(
    () =>
      drawing.arrows.map(
        (arrow): Edge => ({
          id: arrow.id,
          source: arrow.from,
          target: arrow.to,
          type: "smoothstep",
          zIndex: 5,
          focusable: false,
          ...(arrow.label === undefined ? {} : { label: shorten(arrow.label) }),
        }),
      ),
    [drawing],
  );
  return (
    <div className={css.stage}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={TYPES}
        colorMode={theme}
        nodesDraggable={false}
        nodesConnectable={false}
        onlyRenderVisibleElements
        minZoom={0.05}
        fitView
        fitViewOptions={{ minZoom: 0.6, maxZoom: 1.1, padding: 0.1 }}
        onNodeClick={(_, node) => select?.(node.data.box.node)}
        onPaneClick={() => select?.(undefined)}
        proOptions={{ hideAttribution: true }}
      >
        <Background gap={18} />
        <Controls showInteractive={false} />
        {graph.nodes.length > 30 && <MiniMap pannable zoomable />}
      </ReactFlow>
    </div>
  );
}

function shorten(text: string): string {
  return text.length > 34 ? `${text.slice(0, 33)}…` : text;
}

/** The drawing in words. */
export function GraphTable({ graph, standings }: { graph: Graph; standings?: Standings }) {
  return (
    <table className={ui.table}>
      <caption className="visually-hidden">Steps of the workflow</caption>
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Kind</th>
          <th scope="col">About</th>
          {standings !== undefined && <th scope="col">Standing</th>}
        </tr>
      </thead>
      <tbody>
        {graph.nodes.map((node, index) => {
          const told = tell(standings?.get(index));
          return (
            <tr key={`${node.path}#${node.name}`}>
              <td title={node.path}>{node.name}</td>
              <td>{kindOf(node).replace("_", "-")}</td>
              <td>{aboutOf(node)}</td>
              {standings !== undefined && (
                <td>{told === undefined ? "not reached" : <Told told={told} />}</td>
              )}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
