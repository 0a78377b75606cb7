// Owns the panel of one visit to a step: last error first, then its attempts and its data.
import { X } from "lucide-react";
import type { Run } from "../api/client";
import { usePreferences } from "../preferences";
import { absolute, duration, useNow } from "../preferences/time";
import { Button, Card, Facts, Json, css as ui } from "../ui";
import { FailureFacts } from "./FailureFacts";
import type { Attempt, Visit } from "./trace";

export function StepPanel({ visit, run, close }: { visit: Visit; run: Run; close: () => void }) {
  const [{ zone }] = usePreferences();
  const now = useNow(1_000);
  const step = run.steps?.find((one) => one.id === visit.step);
  const failure =
    visit.failure ?? visit.attempts.findLast((attempt) => attempt.failure !== undefined)?.failure;
  return (
    <Card
      title={visit.name === "" ? "Step" : visit.name}
      actions={
        <Button look="bare" onClick={close} aria-label="Close the step">
          <X size={15} aria-hidden />
        </Button>
      }
    >
      <div className={`${ui.cardBody} ${ui.stack}`}>
        {failure !== undefined && <FailureFacts failure={failure} />}
        <Facts
          facts={[
            ["Outcome", visit.parked && visit.outcome === "running" ? "waits for help" : visit.outcome],
            ...(step === undefined ? [] : ([["Why it waits", step.detail]] as [string, string][])),
            ["Entered", absolute(visit.enteredAt, zone)],
            ["Took", duration((visit.endedAt ?? now) - visit.enteredAt)],
          ]}
        />
        {visit.attempts.length > 0 && <Attempts attempts={visit.attempts} now={now} />}
        {visit.input !== undefined && (
          <>
            <h3>Input</h3>
            <Json value={visit.input} />
          </>
        )}
        {visit.output !== undefined && (
          <>
            <h3>Output</h3>
            <Json value={visit.output} />
          </>
        )}
      </div>
    </Card>
  );
}

function Attempts({ attempts, now }: { attempts: Attempt[]; now: number }) {
  return (
    <table className={ui.table}>
      <caption className="visually-hidden">Attempts</caption>
      <thead>
        <tr>
          <th scope="col">Attempt</th>
          <th scope="col">Waited</th>
          <th scope="col">Ran</th>
          <th scope="col">Result</th>
        </tr>
      </thead>
      <tbody>
        {attempts.map((attempt, index) => {
          const end = attempt.endedAt ?? now;
          return (
            <tr key={attempt.queuedAt}>
              <td>{index + 1}</td>
              <td className={ui.number}>{duration((attempt.claimedAt ?? end) - attempt.queuedAt)}</td>
              <td className={ui.number}>
                {attempt.claimedAt === undefined ? "not yet" : duration(end - attempt.claimedAt)}
              </td>
              <td>
                {attempt.failure?.title ??
                  attempt.failure?.type ??
                  (attempt.endedAt === undefined ? "under way" : "done")}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
