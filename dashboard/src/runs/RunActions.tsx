// Owns what can be done to a run, and the question that comes before it ends.
import { ChevronDown } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useState } from "react";
import type { Run } from "../api/client";
import { actOnRun, type RunAction, useChange } from "../api/queries";
import { Button, Dialog, ProblemNote, css as ui } from "../ui";
import { isLive } from "../ui/StateBadge";

const WORDS: Record<RunAction, { name: string; means: string; ends: boolean }> = {
  retry: { name: "Retry", means: "Tasks that wait for help are offered again.", ends: false },
  suspend: { name: "Suspend", means: "Nothing new starts until the run is resumed.", ends: false },
  resume: { name: "Resume", means: "The run goes on where it was.", ends: false },
  cancel: {
    name: "Cancel…",
    means: "The run is ended after compensation and clean-up have run. Its children are cancelled too.",
    ends: true,
  },
  terminate: {
    name: "Terminate…",
    means: "The run is ended at once, without compensation or clean-up. This cannot be taken back.",
    ends: true,
  },
};

function allowed(run: Run, action: RunAction): boolean {
  if (!isLive(run.state)) return false;
  if (action === "retry") return run.state === "incident";
  if (action === "resume") return run.state === "suspended";
  return action !== "suspend" || run.state !== "suspended";
}

export function RunActions({ run }: { run: Run }) {
  const [asked, ask] = useState<RunAction>();
  const [reason, setReason] = useState("");
  const change = useChange((action: RunAction) => actOnRun(action, run.id, reason));
  const words = asked === undefined ? undefined : WORDS[asked];
  const cli = (action: RunAction) => navigator.clipboard.writeText(`quadrille ${action} ${run.id}`);
  return (
    <>
      <DropdownMenu.Root>
        <DropdownMenu.Trigger asChild>
          <Button>
            Actions <ChevronDown size={14} aria-hidden />
          </Button>
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content className={ui.menu} align="end" sideOffset={4}>
            {(Object.keys(WORDS) as RunAction[]).map((action) => (
              <DropdownMenu.Item
                key={action}
                className={ui.menuItem}
                disabled={!allowed(run, action)}
                title={WORDS[action].means}
                onSelect={() => (WORDS[action].ends ? ask(action) : change.mutate(action))}
              >
                {WORDS[action].name}
              </DropdownMenu.Item>
            ))}
            <DropdownMenu.Separator />
            <DropdownMenu.Item className={ui.menuItem} onSelect={() => navigator.clipboard.writeText(run.id)}>
              Copy id
            </DropdownMenu.Item>
            <DropdownMenu.Item className={ui.menuItem} onSelect={() => cli("cancel")}>
              Copy “cancel” as CLI
            </DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      {change.error !== null && asked === undefined && <ProblemNote problem={change.error} />}
      <Dialog
        open={asked !== undefined}
        close={() => ask(undefined)}
        title={`${words?.name.replace("…", "") ?? ""} 1 run of ${run.workflow}?`}
        description={words?.means ?? ""}
      >
        <label className={ui.field}>
          <span>Reason</span>
          <input
            className={ui.input}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
            maxLength={1024}
          />
        </label>
        {change.error !== null && <ProblemNote problem={change.error} />}
        <div className={ui.dialogFoot}>
          <Button onClick={() => ask(undefined)}>Keep it running</Button>
          <Button
            look="danger"
            disabled={change.isPending}
            onClick={() => asked !== undefined && change.mutate(asked, { onSuccess: () => ask(undefined) })}
          >
            {words?.name.replace("…", "")} run
          </Button>
        </div>
      </Dialog>
    </>
  );
}
