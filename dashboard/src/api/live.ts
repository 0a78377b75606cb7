// Owns the live history of one run: server-sent events folded into one growing list, with the state of the line.
import { useEffect, useState } from "react";
import type { HistoryEvent } from "./client";

export type Line = "connecting" | "live" | "stale" | "over";

export interface LiveHistory {
  events: HistoryEvent[];
  line: Line;
}

/** Events arrive in bursts; the page is drawn at most this often. */
const DRAW_EVERY_MS = 50;

/** All events of a run, as they become durable. Paused, what has come is kept and nothing new is asked for. */
export function useLiveHistory(runId: string, paused: boolean): LiveHistory {
  const [history, setHistory] = useState<LiveHistory & { runId: string }>({
    runId,
    events: [],
    line: "connecting",
  });
  const known = history.runId === runId ? history.events : [];
  const next = known.length === 0 ? 0 : (known[known.length - 1]?.number ?? -1) + 1;

  // biome-ignore lint/correctness/useExhaustiveDependencies: `next` is where to go on, not a reason to reconnect.
  useEffect(() => {
    if (paused) return;
    let pending: HistoryEvent[] = [];
    let timer: number | undefined;
    let line: Line = "connecting";
    const flush = () => {
      timer = undefined;
      const come = pending;
      pending = [];
      setHistory((old) => {
        const before = old.runId === runId ? old.events : [];
        return { runId, events: come.length === 0 ? before : before.concat(come), line };
      });
    };
    const draw = () => {
      timer ??= window.setTimeout(flush, DRAW_EVERY_MS);
    };
    const source = new EventSource(new URL(`api/v1/runs/${runId}/events?from=${next}`, document.baseURI));
    source.onopen = () => {
      line = "live";
      draw();
    };
    source.onerror = () => {
      line = line === "over" ? line : "stale";
      draw();
    };
    source.onmessage = (message) => {
      const event = JSON.parse(message.data) as HistoryEvent;
      pending.push(event);
      line = "live";
      draw();
    };
    source.addEventListener("end", () => {
      line = "over";
      source.close();
      draw();
    });
    return () => {
      source.close();
      window.clearTimeout(timer);
    };
  }, [runId, paused]);

  return history.runId === runId ? history : { events: [], line: "connecting" };
}
