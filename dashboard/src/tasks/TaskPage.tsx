// Owns the page of one task for a person: what is asked, the form, the talk about it, and what can be done.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";
import type { HumanTask } from "../api/client";
import { useChange } from "../api/queries";
import { usePreferences } from "../preferences";
import { When } from "../preferences/time";
import { Page } from "../shell/Page";
import { Button, Card, Facts, Json, Loading, ProblemNote, css as ui } from "../ui";
import { SchemaForm, startOf } from "../ui/SchemaForm";
import { act, type Deed, humanTask } from "./queries";
import { isOpen, TaskBadge } from "./TaskBadge";

export function TaskPage() {
  const { id = "" } = useParams();
  const task = useQuery(humanTask(id));
  if (task.error !== null) return <ProblemNote problem={task.error} retry={() => task.refetch()} />;
  if (task.data === undefined) return <Loading what="the task" />;
  return <Open key={id} task={task.data} />;
}

function Open({ task }: { task: HumanTask }) {
  const [{ name }, prefer] = usePreferences();
  const change = useChange((deed: Deed) => act(task, name, deed));
  const can = name !== "" && !change.isPending;
  return (
    <Page
      title={task.title}
      head={
        <div>
          <div className={ui.row}>
            <h1>{task.title}</h1>
            <TaskBadge task={task} />
          </div>
          <p className={ui.soft}>
            {task.name} of <Link to={`/runs/${task.run}`}>{task.workflow}</Link>
          </p>
        </div>
      }
      actions={
        isOpen(task) && (
          <>
            {task.state === "ready" && (
              <Button disabled={!can} onClick={() => change.mutate({ do: "claim" })}>
                Take it
              </Button>
            )}
            {task.state === "claimed" && (
              <Button disabled={!can} onClick={() => change.mutate({ do: "release" })}>
                Give it back
              </Button>
            )}
          </>
        )
      }
    >
      {name === "" && (
        <Card title="Who are you?">
          <div className={ui.cardBody}>
            <label className={ui.field}>
              <span>Your name, as decisions will show it</span>
              <input
                className={ui.input}
                onBlur={(event) => prefer({ name: event.target.value.trim() })}
                onKeyDown={(event) =>
                  event.key === "Enter" && prefer({ name: event.currentTarget.value.trim() })
                }
              />
            </label>
          </div>
        </Card>
      )}
      {change.error !== null && <ProblemNote problem={change.error} />}
      <div className={ui.columns}>
        <div className={ui.stack}>
          <Asked task={task} />
          {isOpen(task) ? <Decide task={task} can={can} decide={change.mutate} /> : <Decided task={task} />}
        </div>
        <div className={ui.stack}>
          <About task={task} />
          <Talk
            task={task}
            can={can}
            say={(text, done) => change.mutate({ do: "comment", text }, { onSuccess: done })}
          />
        </div>
      </div>
    </Page>
  );
}

/** Nothing to be seen: no data, or a map without members. */
function isEmpty(data: unknown): boolean {
  return data === null || (typeof data === "object" && Object.keys(data).length === 0);
}

function Asked({ task }: { task: HumanTask }) {
  return (
    <Card title="What is asked">
      {task.description !== null && <p className={`${ui.cardBody} ${ui.prose}`}>{task.description}</p>}
      {!isEmpty(task.data) && <Json value={task.data} />}
    </Card>
  );
}

function Decide({ task, can, decide }: { task: HumanTask; can: boolean; decide: (deed: Deed) => void }) {
  const [data, setData] = useState(() => startOf(task.form));
  const [comment, setComment] = useState("");
  const outcomes = task.outcomes.length === 0 ? [undefined] : task.outcomes;
  return (
    <Card title="Your decision">
      <div className={ui.cardBody}>
        <SchemaForm schema={task.form} value={data} change={setData} />
        <label className={ui.field}>
          <span>Comment (optional)</span>
          <input className={ui.input} value={comment} onChange={(event) => setComment(event.target.value)} />
        </label>
        <div className={ui.decide}>
          {outcomes.map((outcome) => (
            <Button
              key={outcome ?? ""}
              look="primary"
              disabled={!can}
              onClick={() => decide({ do: "complete", data, outcome, comment })}
            >
              {outcome ?? "Complete"}
            </Button>
          ))}
          <Button look="danger" disabled={!can} onClick={() => decide({ do: "reject", reason: comment })}>
            Refuse the task
          </Button>
        </div>
        <p className={ui.soft}>To refuse it raises an error in the run, with your comment as its detail.</p>
      </div>
    </Card>
  );
}

function Decided({ task }: { task: HumanTask }) {
  const decision = task.decision;
  if (decision === null) {
    return (
      <Card title="Withdrawn">
        <p className={ui.cardBody}>The run no longer needs it.</p>
      </Card>
    );
  }
  return (
    <Card title={`Decided by ${decision.by}: ${decision.outcome ?? "refused"}`}>
      {decision.comment !== null && <p className={`${ui.cardBody} ${ui.prose}`}>{decision.comment}</p>}
      <Json value={decision.data} />
    </Card>
  );
}

function About({ task }: { task: HumanTask }) {
  return (
    <Card title="About">
      <div className={ui.cardBody}>
        <Facts
          facts={[
            ["Whose", task.assignee ?? "nobody's yet"],
            ["Groups", task.groups.join(", ") || "anyone"],
            ["Priority", String(task.priority)],
            ["Waits since", <When key="c" at={task.created_at} />],
            ["Due", task.due_at === null ? "never" : <When key="d" at={task.due_at} />],
            [
              "Goes to others",
              task.escalates_at === null ? "never" : <When key="e" at={task.escalates_at} />,
            ],
            ["Id", <code key="i">{task.id}</code>],
          ]}
        />
      </div>
    </Card>
  );
}

function Talk({
  task,
  can,
  say,
}: {
  task: HumanTask;
  can: boolean;
  say: (text: string, done: () => void) => void;
}) {
  const [text, setText] = useState("");
  return (
    <Card title={`Comments (${task.comments.length})`}>
      <div className={ui.cardBody}>
        <ul className={ui.list}>
          {task.comments.map((comment) => (
            <li key={`${comment.at} ${comment.by} ${comment.text}`}>
              <strong>{comment.by}</strong>{" "}
              <span className={ui.soft}>
                <When at={comment.at} />
              </span>
              <p className={ui.prose}>{comment.text}</p>
            </li>
          ))}
        </ul>
        {isOpen(task) && (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              say(text, () => setText(""));
            }}
          >
            <label className={ui.field}>
              <span>Say something</span>
              <input className={ui.input} value={text} onChange={(event) => setText(event.target.value)} />
            </label>
            <Button type="submit" disabled={!can || text === ""}>
              Comment
            </Button>
          </form>
        )}
      </div>
    </Card>
  );
}
