// Owns the inbox: work that waits for people, narrowed by whose it is.
import { useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";
import type { HumanTaskSummary } from "../api/client";
import { usePreferences } from "../preferences";
import { When } from "../preferences/time";
import { Page } from "../shell/Page";
import { Card, Empty, Loading, ProblemNote, css as ui } from "../ui";
import { humanTasks, type TaskFilter } from "./queries";
import { TaskBadge } from "./TaskBadge";

const VIEWS = ["open", "mine", "free", "closed"] as const;
type View = (typeof VIEWS)[number];

const WORDS: Record<View, string> = { open: "Open", mine: "Mine", free: "To take", closed: "Closed" };

function filterOf(view: View, name: string): TaskFilter {
  switch (view) {
    case "open":
      return { state: ["ready", "claimed"] };
    case "mine":
      return { state: ["ready", "claimed"], assignee: name };
    case "free":
      return { state: ["ready"] };
    case "closed":
      return { state: ["completed", "rejected", "withdrawn"] };
  }
}

export function TasksPage() {
  const [search] = useSearchParams();
  const [{ name }] = usePreferences();
  const view = VIEWS.find((one) => one === search.get("view")) ?? "open";
  const run = search.get("run");
  const filter = { ...filterOf(view, name), ...(run === null ? {} : { run }) };
  const nobody = view === "mine" && name === "";
  const tasks = useQuery({ ...humanTasks(filter), enabled: !nobody });
  return (
    <Page title="Tasks for people">
      <nav className={ui.tabs} aria-label="Whose tasks">
        {VIEWS.map((one) => (
          <Link
            key={one}
            className={ui.tab}
            aria-current={one === view ? "page" : undefined}
            to={`?${new URLSearchParams({ view: one, ...(run === null ? {} : { run }) })}`}
          >
            {WORDS[one]}
          </Link>
        ))}
      </nav>
      {tasks.error !== null && <ProblemNote problem={tasks.error} retry={() => tasks.refetch()} />}
      <Card>
        {nobody ? (
          <Empty title="Whose tasks?">
            <p>
              Say your name in <Link to="/settings">Settings</Link>; tasks are taken and decided by it.
            </p>
          </Empty>
        ) : tasks.data === undefined ? (
          <Loading what="tasks" />
        ) : tasks.data.length === 0 ? (
          <Empty title={view === "closed" ? "Nothing was decided yet" : "Nothing waits for a person"}>
            <p>
              A workflow asks people by <code>call: human-task</code>.
            </p>
          </Empty>
        ) : (
          <TaskTable tasks={tasks.data} />
        )}
      </Card>
    </Page>
  );
}

function TaskTable({ tasks }: { tasks: HumanTaskSummary[] }) {
  return (
    <div className={ui.scroll}>
      <table className={ui.table}>
        <caption className="visually-hidden">Tasks, the most urgent first</caption>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Task</th>
            <th scope="col">Workflow</th>
            <th scope="col">Whose</th>
            <th scope="col">Priority</th>
            <th scope="col">Due</th>
            <th scope="col">Waits since</th>
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <tr key={task.id}>
              <td>
                <TaskBadge task={task} />
              </td>
              <td>
                <Link to={`/tasks/${task.id}`}>{task.title}</Link>
              </td>
              <td>{task.workflow}</td>
              <td>{task.assignee ?? (task.groups.join(", ") || "anyone")}</td>
              <td>{task.priority}</td>
              <td className={ui.number}>{task.due_at === null ? "" : <When at={task.due_at} />}</td>
              <td className={ui.number}>
                <When at={task.created_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
