// Owns how the state of a task for people looks: colour, sign and word together.
import { AlarmClock, Ban, Check, Hand, UserRound, X } from "lucide-react";
import type { HumanTaskSummary } from "../api/client";
import { useNow } from "../preferences/time";
import { css } from "../ui";

const LOOKS = {
  ready: ["wait", Hand],
  claimed: ["busy", UserRound],
  completed: ["good", Check],
  rejected: ["bad", X],
  withdrawn: ["calm", Ban],
} as const;

export function isOpen(task: Pick<HumanTaskSummary, "state">): boolean {
  return task.state === "ready" || task.state === "claimed";
}

export function TaskBadge({ task }: { task: HumanTaskSummary }) {
  const now = useNow(10_000);
  const [tone, Sign] = LOOKS[task.state];
  const late = isOpen(task) && task.due_at !== null && Date.parse(task.due_at) < now;
  return (
    <span className={css.row}>
      <span className={`${css.badge} ${css[tone]}`}>
        <Sign size={13} aria-hidden />
        {task.state}
      </span>
      {late && (
        <span className={`${css.badge} ${css.bad}`}>
          <AlarmClock size={13} aria-hidden />
          late
        </span>
      )}
    </span>
  );
}
