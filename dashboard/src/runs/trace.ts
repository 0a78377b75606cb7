// Owns the trace of a run: its history folded into visits to nodes, with their attempts, as pages draw them.
//
// Invariant: folding the events one by one or all at once gives the same trace; what is not understood is skipped,
// so that a newer server's events do not break an older page.
import type { Failure, HistoryEvent } from "../api/client";

export type Outcome = "running" | "passed" | "completed" | "failed" | "cancelled";

/** One try of a task: it waits for a worker, then runs. */
export interface Attempt {
  queuedAt: number;
  claimedAt?: number;
  endedAt?: number;
  failure?: Failure;
}

/** One token on one node. */
export interface Visit {
  /** Unique within the run, in order of entry. */
  id: string;
  /** The step's number; none if the token left at once. */
  step?: number;
  node: number;
  name: string;
  frame: number;
  enteredAt: number;
  endedAt?: number;
  outcome: Outcome;
  attempts: Attempt[];
  input?: unknown;
  output?: unknown;
  failure?: Failure;
  /** Why it waits, in the last event's words: `parked` needs a person. */
  parked: boolean;
}

/** An open or closed body. */
export interface Frame {
  owner?: number;
  body: number;
  index: number;
  phase: string;
}

export interface Trace {
  visits: Visit[];
  frames: Map<number, Frame>;
  startedAt?: number;
  endedAt?: number;
}

interface Data {
  step?: number;
  node?: number;
  frame?: number;
  owner?: number;
  body?: number;
  index?: number;
  phase?: string;
  input?: unknown;
  output?: unknown;
  failure?: Failure;
  activity?: { input?: unknown; queue?: string };
}

export function traceOf(events: HistoryEvent[]): Trace {
  const trace: Trace = { visits: [], frames: new Map([[0, { body: 0, index: 0, phase: "body" }]]) };
  const open = new Map<number, Visit>();
  for (const event of events) fold(trace, open, event);
  return trace;
}

function fold(trace: Trace, open: Map<number, Visit>, event: HistoryEvent) {
  const data = (event.data ?? {}) as Data;
  const at = Date.parse(event.at);
  const visit = data.step === undefined ? undefined : open.get(data.step);
  const last = visit?.attempts[visit.attempts.length - 1];
  const end = (outcome: Outcome) => {
    if (visit === undefined || data.step === undefined) return;
    visit.outcome = outcome;
    visit.endedAt = at;
    if (last !== undefined) last.endedAt ??= at;
    open.delete(data.step);
  };
  switch (event.kind) {
    case "Started":
      trace.startedAt = at;
      break;
    case "Ended":
      trace.endedAt = at;
      for (const left of open.values()) {
        left.outcome = "cancelled";
        left.endedAt = at;
      }
      open.clear();
      break;
    case "StepEntered":
      enter(trace, open, event, data, at);
      break;
    case "StepPassed":
      if (data.node === undefined || data.frame === undefined) break;
      trace.visits.push({
        id: `p${event.number}`,
        node: data.node,
        name: event.step_name ?? "",
        frame: data.frame,
        enteredAt: at,
        endedAt: at,
        outcome: "passed",
        attempts: [],
        output: data.output,
        parked: false,
      });
      break;
    case "StepBegan":
      if (visit !== undefined) begin(visit, data, at);
      break;
    case "StepCompleted":
      if (visit !== undefined) visit.output = data.output;
      end("completed");
      break;
    case "StepFailed":
      if (visit !== undefined && data.failure !== undefined) {
        visit.failure = data.failure;
        if (last !== undefined) last.failure = data.failure;
      }
      end("failed");
      break;
    case "StepCancelled":
      end("cancelled");
      break;
    case "TaskClaimed":
      if (last !== undefined) last.claimedAt = at;
      break;
    case "TaskBackedOff":
    case "TaskParked":
      if (visit === undefined || last === undefined) break;
      last.endedAt = at;
      if (data.failure !== undefined) last.failure = data.failure;
      visit.parked = event.kind === "TaskParked";
      break;
    case "TaskQueued":
      if (visit === undefined) break;
      visit.parked = false;
      if (last !== undefined) last.endedAt ??= at;
      visit.attempts.push({ queuedAt: at });
      break;
    case "FrameOpened":
      if (data.frame === undefined) break;
      trace.frames.set(data.frame, {
        ...(data.owner === undefined ? {} : { owner: data.owner }),
        body: data.body ?? 0,
        index: data.index ?? 0,
        phase: data.phase ?? "body",
      });
      break;
  }
}

function enter(trace: Trace, open: Map<number, Visit>, event: HistoryEvent, data: Data, at: number) {
  if (data.step === undefined || data.node === undefined || data.frame === undefined) return;
  const visit: Visit = {
    id: `s${data.step}`,
    step: data.step,
    node: data.node,
    name: event.step_name ?? "",
    frame: data.frame,
    enteredAt: at,
    outcome: "running",
    attempts: [],
    input: data.input,
    parked: false,
  };
  begin(visit, data, at);
  trace.visits.push(visit);
  open.set(data.step, visit);
}

function begin(visit: Visit, data: Data, at: number) {
  if (data.activity?.queue !== undefined) {
    visit.attempts.push({ queuedAt: at });
    visit.input = data.activity.input ?? visit.input;
  }
}

/** How many containers each visit stands in, the root not counted; by the visit's id. */
export function depths(trace: Trace): Map<string, number> {
  const ofStep = new Map<number, number>();
  const all = new Map<string, number>();
  // A container is entered before what stands in it, so one pass is enough.
  for (const visit of trace.visits) {
    const owner = trace.frames.get(visit.frame)?.owner;
    const depth = owner === undefined ? 0 : (ofStep.get(owner) ?? 0) + 1;
    all.set(visit.id, depth);
    if (visit.step !== undefined) ofStep.set(visit.step, depth);
  }
  return all;
}

/** How a node stands when all its visits are looked at together. */
export interface NodeStanding {
  running: number;
  completed: number;
  failed: number;
  cancelled: number;
  parked: number;
}

export function standings(trace: Trace): Map<number, NodeStanding> {
  const all = new Map<number, NodeStanding>();
  for (const visit of trace.visits) {
    const standing = all.get(visit.node) ?? { running: 0, completed: 0, failed: 0, cancelled: 0, parked: 0 };
    if (visit.outcome === "passed") standing.completed += 1;
    else standing[visit.outcome] += 1;
    if (visit.parked && visit.outcome === "running") standing.parked += 1;
    all.set(visit.node, standing);
  }
  return all;
}
