// Owns how a state looks: colour, sign and word together, so that no state is told by colour alone.
import { Ban, Check, CircleDot, Clock3, OctagonX, Pause, ShieldAlert, X } from "lucide-react";
import type { RunState } from "../api/client";
import css from "./ui.module.css";

const LOOKS = {
  running: ["busy", CircleDot],
  waiting: ["wait", Clock3],
  suspended: ["warn", Pause],
  incident: ["bad", ShieldAlert],
  completed: ["good", Check],
  failed: ["bad", X],
  cancelled: ["calm", Ban],
  terminated: ["calm", OctagonX],
} as const;

/** All states, those that go on first. */
export const STATES = Object.keys(LOOKS) as RunState[];

/** States that a run leaves again. */
export const LIVE: RunState[] = ["running", "waiting", "suspended", "incident"];

export function isLive(state: RunState): boolean {
  return LIVE.includes(state);
}

export function StateBadge({ state }: { state: RunState }) {
  const [tone, Sign] = LOOKS[state];
  return (
    <span className={`${css.badge} ${css[tone]}`}>
      <Sign size={13} aria-hidden />
      {state}
    </span>
  );
}
