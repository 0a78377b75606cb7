import { expect, test } from "vitest";
import type { HistoryEvent } from "../api/client";
import { depths, standings, traceOf } from "./trace";

let number = 0;
function event(kind: string, ms: number, data: unknown, step_name: string | null = null): HistoryEvent {
  number += 1;
  return { number, at: new Date(ms).toISOString(), kind, data, step_name };
}

const history = () => [
  event("Started", 0, { input: {} }),
  event("StepEntered", 1, { step: 1, node: 0, frame: 0, activity: { phase: "body" } }, "all"),
  event("FrameOpened", 1, { frame: 2, owner: 1, body: 1, index: 0, phase: "body" }, "all"),
  event(
    "StepEntered",
    2,
    { step: 3, node: 1, frame: 2, activity: { queue: "q", input: { a: 1 } } },
    "charge",
  ),
  event("TaskClaimed", 5, { step: 3 }, "charge"),
  event("TaskBackedOff", 9, { step: 3, failure: { type: "t", status: 503 } }, "charge"),
  event("TaskQueued", 20, { step: 3, attempt: 2 }, "charge"),
  event("TaskClaimed", 21, { step: 3 }, "charge"),
  event("StepCompleted", 30, { step: 3, output: { ok: true } }, "charge"),
  event("StepPassed", 30, { node: 2, frame: 2, output: 1 }, "note"),
];

test("attempts keep their wait, their run and their failure apart", () => {
  const trace = traceOf(history());
  const charge = trace.visits.find((visit) => visit.name === "charge");
  expect(charge?.outcome).toBe("completed");
  expect(charge?.input).toEqual({ a: 1 });
  expect(charge?.attempts).toEqual([
    { queuedAt: 2, claimedAt: 5, endedAt: 9, failure: { type: "t", status: 503 } },
    { queuedAt: 20, claimedAt: 21, endedAt: 30 },
  ]);
});

test("what a run leaves open is cancelled by its end, and depth follows the bodies", () => {
  const events = [...history(), event("Ended", 40, { status: "cancelled" })];
  const trace = traceOf(events);
  expect(trace.visits.map((visit) => [visit.name, visit.outcome, depths(trace).get(visit.id)])).toEqual([
    ["all", "cancelled", 0],
    ["charge", "completed", 1],
    ["note", "passed", 1],
  ]);
  expect(standings(trace).get(0)).toMatchObject({ cancelled: 1, running: 0 });
});

test("a parked task waits for a person until it is offered again", () => {
  const parked = [
    ...history().slice(0, 5),
    event("TaskParked", 9, { step: 3, failure: { type: "t", status: 500 } }),
  ];
  expect(standings(traceOf(parked)).get(1)).toMatchObject({ running: 1, parked: 1 });
  const again = [...parked, event("TaskQueued", 12, { step: 3 })];
  expect(standings(traceOf(again)).get(1)).toMatchObject({ running: 1, parked: 0 });
});

test("unknown events are skipped", () => {
  expect(traceOf([event("FutureThing", 1, null)]).visits).toEqual([]);
});
