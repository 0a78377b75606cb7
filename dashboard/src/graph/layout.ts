// Owns where everything stands in a drawing of a workflow: bodies inside the nodes that open them, each laid out
// by dagre from top to bottom.
//
// Invariant: pure and deterministic; the same graph is always drawn the same.
import dagre from "@dagrejs/dagre";
import { bodiesOf, casesOf, type Graph, type Next } from "./ir";

export interface Box {
  /** `n3` for node 3, `b2` for body 2, `start` and `end` for where the run begins and ends. */
  id: string;
  parent?: string;
  x: number;
  y: number;
  width: number;
  height: number;
  node?: number;
  body?: number;
  /** What a body is for, such as `catch` or `undo`. */
  role?: string;
}

export interface Arrow {
  id: string;
  from: string;
  to: string;
  label?: string;
}

export interface Drawing {
  boxes: Box[];
  arrows: Arrow[];
}

export const NODE_WIDTH = 190;
export const NODE_HEIGHT = 46;
const HEAD = 40;
const ROLE = 20;
const PAD = 14;
const DOT = 18;

interface Sized {
  width: number;
  height: number;
}

export function draw(graph: Graph): Drawing {
  const drawing: Drawing = { boxes: [], arrows: [] };
  const byBody = new Map<number, number[]>();
  graph.nodes.forEach((node, index) => {
    const list = byBody.get(node.body);
    if (list === undefined) byBody.set(node.body, [index]);
    else list.push(index);
  });
  layBody(graph, byBody, drawing, 0, undefined);
  return drawing;
}

/** Lays out the nodes of a body relative to its corner; says how large it is. */
function layBody(
  graph: Graph,
  byBody: Map<number, number[]>,
  drawing: Drawing,
  body: number,
  parent: string | undefined,
): Sized {
  const layout = new dagre.graphlib.Graph({ multigraph: true });
  layout.setGraph({ rankdir: "TB", nodesep: 34, ranksep: 38, marginx: PAD, marginy: PAD });
  layout.setDefaultEdgeLabel(() => ({}));
  const members = byBody.get(body) ?? [];
  const root = parent === undefined;
  if (root) {
    layout.setNode("start", { width: DOT, height: DOT });
    layout.setNode("end", { width: DOT, height: DOT });
  }
  // What is inside a node is laid out first: it says how large the node is.
  const first = drawing.boxes.length;
  for (const index of members) layout.setNode(`n${index}`, sizeOf(graph, byBody, drawing, index));
  const arrow = (from: string, next: Next, label: string | undefined) => {
    const to = typeof next === "object" ? `n${next.node}` : root || next === "end" ? "end" : undefined;
    if (to === undefined || (to === "end" && !root)) return;
    const id = `${from}-${to}-${label ?? ""}`;
    drawing.arrows.push({ id, from, to, ...(label === undefined ? {} : { label }) });
    layout.setEdge(from, to, {}, id);
  };
  const entrance = graph.bodies[body]?.first;
  if (root) arrow("start", entrance === undefined ? "exit" : { node: entrance }, undefined);
  for (const index of members) {
    const node = graph.nodes[index];
    if (node === undefined) continue;
    const cases = casesOf(node);
    for (const way of cases) arrow(`n${index}`, way.next, way.when ?? "otherwise");
    if (cases.every((way) => way.when !== undefined)) {
      arrow(`n${index}`, node.next, cases.length > 0 ? "otherwise" : undefined);
    }
  }
  dagre.layout(layout);
  for (const id of layout.nodes()) {
    const at = layout.node(id);
    const index = id.startsWith("n") ? Number(id.slice(1)) : undefined;
    drawing.boxes.splice(first, 0, {
      id,
      x: at.x - at.width / 2,
      y: at.y - at.height / 2,
      width: at.width,
      height: at.height,
      ...(parent === undefined ? {} : { parent }),
      ...(index === undefined ? {} : { node: index }),
    });
  }
  const { width = 0, height = 0 } = layout.graph();
  return members.length === 0 && !root ? { width: NODE_WIDTH, height: PAD * 2 } : { width, height };
}

/** The size of a node, with the bodies that it opens side by side inside it. */
function sizeOf(graph: Graph, byBody: Map<number, number[]>, drawing: Drawing, index: number): Sized {
  const node = graph.nodes[index];
  const bodies = node === undefined ? [] : bodiesOf(node);
  if (bodies.length === 0) return { width: NODE_WIDTH, height: NODE_HEIGHT };
  let x = PAD;
  let height = 0;
  for (const { body, role } of bodies) {
    const at = drawing.boxes.length;
    const size = layBody(graph, byBody, drawing, body, `b${body}`);
    const head = role === "" ? 0 : ROLE;
    // Whoever stands inside comes after what it stands in.
    drawing.boxes.splice(at, 0, {
      id: `b${body}`,
      parent: `n${index}`,
      x,
      y: HEAD,
      width: size.width,
      height: size.height + head,
      body,
      role,
    });
    x += size.width + PAD;
    height = Math.max(height, size.height + head);
  }
  return { width: Math.max(x, NODE_WIDTH), height: HEAD + height + PAD };
}
