// Owns how instants and durations are shown: in the chosen zone, relative with the absolute on hover.
import { useEffect, useState } from "react";
import { usePreferences } from ".";

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  let found = formats.get(zone);
  if (found === undefined) {
    found = new Intl.DateTimeFormat(undefined, {
      dateStyle: "medium",
      timeStyle: "medium",
      ...(zone === "local" ? {} : { timeZone: zone }),
    });
    formats.set(zone, found);
  }
  return found;
}

export function absolute(at: string | number, zone: string): string {
  return format(zone).format(new Date(at));
}

/** A length of time in its two largest units. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  const units: [string, number][] = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1_000],
  ];
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    if (count > 0 && parts.length < 2) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    rest -= count * size;
  }
  return parts.join(" ");
}

/** The present, looked at again as often as `every` milliseconds. */
export function useNow(every: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), every);
    return () => window.clearInterval(timer);
  }, [every]);
  return now;
}

/** When something was or will be. */
export function When({ at }: { at: string }) {
  const [{ zone }] = usePreferences();
  const now = useNow(1_000);
  const distance = now - Date.parse(at);
  const near = Math.abs(distance) < 86_400_000;
  const text = distance >= 0 ? `${duration(distance)} ago` : `in ${duration(-distance)}`;
  const full = absolute(at, zone);
  return (
    <time dateTime={at} title={`${full} (${at})`}>
      {Math.abs(distance) < 1_000 ? "now" : near ? text : full}
    </time>
  );
}
