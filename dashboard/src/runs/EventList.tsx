// Owns the full history of a run: every event, filtered by kind and step, either way round, and as a file.
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDownUp, Download } from "lucide-react";
import { useMemo, useRef, useState } from "react";
import type { HistoryEvent, Run } from "../api/client";
import { usePreferences } from "../preferences";
import { absolute } from "../preferences/time";
import { Button, Card, Empty, Json, css as ui } from "../ui";
import css from "./runs.module.css";

const ROW_PX = 34;

export function EventList({ run, events }: { run: Run; events: HistoryEvent[] }) {
  const [{ zone }] = usePreferences();
  const [wanted, setWanted] = useState("");
  const [newestFirst, setNewestFirst] = useState(false);
  const [opened, setOpened] = useState<number>();
  const shown = useMemo(() => {
    const word = wanted.trim().toLowerCase();
    const fits = (event: HistoryEvent) =>
      event.kind.toLowerCase().includes(word) || (event.step_name ?? "").toLowerCase().includes(word);
    const found = word === "" ? events : events.filter(fits);
    return newestFirst ? found.toReversed() : found;
  }, [events, wanted, newestFirst]);
  const scroll = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const event = events.find((one) => one.number === opened);
  return (
    <div className={event === undefined ? ui.stack : css.split}>
      <Card
        title={`${shown.length.toLocaleString()} of ${events.length.toLocaleString()} events`}
        actions={
          <>
            <label>
              <span className="visually-hidden">Filter by kind or step</span>
              <input
                data-search
                className={ui.input}
                placeholder="Kind or step"
                value={wanted}
                onChange={(change) => setWanted(change.target.value)}
              />
            </label>
            <Button onClick={() => setNewestFirst(!newestFirst)}>
              <ArrowDownUp size={14} aria-hidden /> {newestFirst ? "Newest first" : "Oldest first"}
            </Button>
            <Button onClick={() => save(run, events)}>
              <Download size={14} aria-hidden /> Download
            </Button>
          </>
        }
      >
        {shown.length === 0 ? (
          <Empty title="No event is like that" />
        ) : (
          <div ref={scroll} className={css.scroll} style={{ height: 560 }} tabIndex={-1}>
            <ul className={css.events} style={{ height: rows.getTotalSize(), position: "relative" }}>
              {rows.getVirtualItems().map((row) => {
                const one = shown[row.index];
                return one === undefined ? null : (
                  <li
                    key={one.number}
                    className={css.event}
                    aria-current={one.number === opened}
                    style={{ transform: `translateY(${row.start}px)`, height: ROW_PX }}
                  >
                    <button
                      type="button"
                      onClick={() => setOpened(one.number === opened ? undefined : one.number)}
                    >
                      <span className={ui.number}>{one.number}</span>
                      <strong>{one.kind}</strong>
                      <span>{one.step_name ?? ""}</span>
                      <span className={css.eventData}>{JSON.stringify(one.data)}</span>
                      <time dateTime={one.at} title={one.at}>
                        {absolute(one.at, zone)}
                      </time>
                    </button>
                  </li>
                );
              })}
            </ul>
          </div>
        )}
      </Card>
      {event !== undefined && (
        <Card
          title={`${event.kind} · ${event.number}`}
          actions={<Button onClick={() => setOpened(undefined)}>Close</Button>}
        >
          <div className={ui.cardBody}>
            <Json value={event} />
          </div>
        </Card>
      )}
    </div>
  );
}

function save(run: Run, events: HistoryEvent[]) {
  const file = new Blob([JSON.stringify({ run, events }, null, 2)], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `run-${run.id}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}
