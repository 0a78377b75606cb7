// Owns the timeline of a run: a line for each visit, waiting and running apart, failed attempts as ticks.
import { useMemo } from "react";
import { duration, useNow } from "../preferences/time";
import { Card, Empty } from "../ui";
import css from "./runs.module.css";
import { depths, type Trace, type Visit } from "./trace";

/** Lines drawn at most; a run with more is better looked at by its events. */
const LINES_MAX = 2_000;

interface Piece {
  from: number;
  to: number;
  look: string | undefined;
  words: string;
}

/** What a visit did when. Containers only hold; tasks wait for a worker, then run. */
function piecesOf(visit: Visit, now: number): Piece[] {
  const end = visit.endedAt ?? now;
  if (visit.attempts.length === 0)
    return [{ from: visit.enteredAt, to: end, look: css.holdSpan, words: "open" }];
  return visit.attempts.flatMap((attempt): Piece[] => {
    const over = attempt.endedAt ?? end;
    const claimed = attempt.claimedAt ?? over;
    const waits = { from: attempt.queuedAt, to: claimed, look: css.waitSpan, words: "waits for a worker" };
    if (attempt.claimedAt === undefined) return [waits];
    const look = attempt.failure === undefined ? css.runSpan : css.failSpan;
    return [
      waits,
      { from: claimed, to: over, look, words: attempt.failure === undefined ? "runs" : "failed" },
    ];
  });
}

export function Timeline({
  trace,
  chosen,
  choose,
}: {
  trace: Trace;
  chosen: Visit | undefined;
  choose: (visit: Visit | undefined) => void;
}) {
  const now = useNow(trace.endedAt === undefined ? 250 : 3_600_000);
  const depth = useMemo(() => depths(trace), [trace]);
  const visits = trace.visits.filter((visit) => visit.outcome !== "passed");
  const start = trace.startedAt ?? 0;
  const end = Math.max(trace.endedAt ?? now, start + 1);
  const at = (time: number) => `${(100 * (Math.min(Math.max(time, start), end) - start)) / (end - start)}%`;
  if (visits.length === 0) {
    return (
      <Card>
        <Empty title="No step took time">
          <p>Steps that end at once are in the events.</p>
        </Empty>
      </Card>
    );
  }
  return (
    <Card title={`Timeline, ${duration(end - start)} in all`}>
      <div className={css.legend} aria-hidden>
        <span>
          <i className={`${css.span} ${css.waitSpan}`} /> waits for a worker
        </span>
        <span>
          <i className={`${css.span} ${css.runSpan}`} /> runs
        </span>
        <span>
          <i className={`${css.span} ${css.failSpan}`} /> attempt failed
        </span>
        <span>
          <i className={`${css.span} ${css.holdSpan}`} /> container, wait or signal
        </span>
      </div>
      <div className={css.scroll}>
        <div className={css.lanes}>
          {visits.slice(0, LINES_MAX).map((visit) => (
            <div className={css.lane} key={visit.id} aria-current={visit.id === chosen?.id}>
              <button
                type="button"
                className={css.laneName}
                style={{ paddingLeft: 10 + 14 * (depth.get(visit.id) ?? 0) }}
                onClick={() => choose(visit.id === chosen?.id ? undefined : visit)}
              >
                {visit.name}
                <span className="visually-hidden">
                  , {visit.outcome}, {duration((visit.endedAt ?? now) - visit.enteredAt)}
                </span>
              </button>
              <div className={css.track} aria-hidden>
                {piecesOf(visit, now).map((piece) => (
                  <span
                    key={`${piece.from}${piece.words}`}
                    className={`${css.span} ${piece.look}`}
                    title={`${piece.words}, ${duration(piece.to - piece.from)}`}
                    style={{ left: at(piece.from), width: `calc(${at(piece.to)} - ${at(piece.from)})` }}
                  />
                ))}
                {visit.attempts
                  .filter((attempt) => attempt.failure !== undefined && attempt.endedAt !== undefined)
                  .map((attempt) => (
                    <span
                      key={attempt.queuedAt}
                      className={css.tick}
                      title={attempt.failure?.title ?? attempt.failure?.type}
                      style={{ left: at(attempt.endedAt ?? end) }}
                    />
                  ))}
              </div>
            </div>
          ))}
        </div>
      </div>
      {visits.length > LINES_MAX && <p className={css.legend}>and {visits.length - LINES_MAX} more steps</p>}
    </Card>
  );
}
