import { expect, test } from "vitest";
import type { Graph } from "./ir";
import { draw } from "./layout";

const graph: Graph = {
  workflow: "w",
  version: "1.0.0",
  bodies: [
    { path: "/do", first: 0 },
    { path: "/do/0/x", first: 2 },
    { path: "/do/0/y", first: 3 },
  ],
  nodes: [
    { name: "both", path: "", body: 0, next: { node: 1 }, kind: { fork: { branches: [1, 2] } } },
    {
      name: "which",
      path: "",
      body: 0,
      next: "exit",
      kind: { switch: [{ when: ".a", next: "end" }, { next: { node: 0 } }] },
    },
    { name: "left", path: "", body: 1, next: "exit", kind: "merge" },
    { name: "right", path: "", body: 2, next: "exit", kind: { set: { literal: 1 } } },
  ],
};

test("every node and body has its box, inside what opens it and after it", () => {
  const { boxes } = draw(graph);
  const order = boxes.map((box) => box.id);
  expect([...order].sort()).toEqual(["b1", "b2", "end", "n0", "n1", "n2", "n3", "start"]);
  for (const box of boxes) {
    if (box.parent === undefined) continue;
    const parent = boxes.find((other) => other.id === box.parent);
    expect(parent, box.id).toBeDefined();
    expect(order.indexOf(box.parent), `${box.id} after ${box.parent}`).toBeLessThan(order.indexOf(box.id));
    expect(box.x + box.width, box.id).toBeLessThanOrEqual((parent?.width ?? 0) + 0.5);
    expect(box.y + box.height, box.id).toBeLessThanOrEqual((parent?.height ?? 0) + 0.5);
  }
});

test("arrows carry the condition that leads along them", () => {
  const { arrows } = draw(graph);
  expect(arrows.map(({ from, to, label }) => [from, to, label])).toEqual([
    ["start", "n0", undefined],
    ["n0", "n1", undefined],
    ["n1", "end", ".a"],
    ["n1", "n0", "otherwise"],
  ]);
});

test("the same graph is always drawn the same", () => {
  expect(draw(graph)).toEqual(draw(graph));
});
