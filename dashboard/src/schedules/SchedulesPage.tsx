// Owns the list of schedules: when each starts a run next, and whether it rests.
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { ask, client, type Schedule } from "../api/client";
import { schedules, useChange } from "../api/queries";
import { duration, When } from "../preferences/time";
import { Page } from "../shell/Page";
import { Button, Card, Empty, Loading, ProblemNote, css as ui } from "../ui";

export function SchedulesPage() {
  const all = useQuery(schedules());
  const pause = useChange((schedule: Schedule) => {
    const params = { path: { name: schedule.name } };
    return schedule.paused
      ? ask(client.POST("/api/v1/schedules/{name}/resume", { params }))
      : ask(client.POST("/api/v1/schedules/{name}/pause", { params }));
  });
  if (all.error !== null) return <ProblemNote problem={all.error} retry={() => all.refetch()} />;
  if (all.data === undefined) return <Loading what="schedules" />;
  return (
    <Page title="Schedules">
      {pause.error !== null && <ProblemNote problem={pause.error} />}
      <Card>
        {all.data.length === 0 ? (
          <Empty title="No run starts by itself">
            <p>
              Give a workflow a <code>schedule</code>, or add one:
            </p>
            <pre>
              quadrille schedule put nightly --workflow report --cron '0 2 * * *' --time-zone Europe/Berlin
            </pre>
          </Empty>
        ) : (
          <table className={ui.table}>
            <caption className="visually-hidden">Schedules</caption>
            <thead>
              <tr>
                <th scope="col">Schedule</th>
                <th scope="col">Starts</th>
                <th scope="col">When</th>
                <th scope="col">Next</th>
                <th scope="col">Last</th>
                <th scope="col">Started</th>
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {all.data.map((schedule) => (
                <tr key={schedule.name}>
                  <td>{schedule.name}</td>
                  <td>
                    <Link to={`/workflows/${schedule.workflow}`}>{schedule.workflow}</Link>{" "}
                    {schedule.version ?? "(latest)"}
                  </td>
                  <td>
                    {schedule.cron === null ? (
                      `every ${duration(schedule.every_ms ?? 0)}`
                    ) : (
                      <code>{schedule.cron}</code>
                    )}{" "}
                    <span className={ui.soft}>{schedule.time_zone}</span>
                  </td>
                  <td>
                    {schedule.paused ? (
                      "paused"
                    ) : schedule.next_at === null ? (
                      "never"
                    ) : (
                      <When at={schedule.next_at} />
                    )}
                  </td>
                  <td>{schedule.last_at === null ? "never" : <When at={schedule.last_at} />}</td>
                  <td className={ui.number}>{schedule.started.toLocaleString()}</td>
                  <td>
                    <Button disabled={pause.isPending} onClick={() => pause.mutate(schedule)}>
                      {schedule.paused ? "Resume" : "Pause"}
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Card>
    </Page>
  );
}
