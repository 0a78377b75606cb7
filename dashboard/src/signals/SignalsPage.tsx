// Owns the page from which an event is published or a signal sent by hand.
import { useState } from "react";
import { ask, client } from "../api/client";
import { useChange } from "../api/queries";
import { Page } from "../shell/Page";
import { Button, Card, ProblemNote, css as ui } from "../ui";

export function SignalsPage() {
  return (
    <Page title="Signals and events">
      <PublishCard />
      <SignalCard />
    </Page>
  );
}

function PublishCard() {
  const [text, setText] = useState('{\n  "type": "com.example.paid",\n  "data": {}\n}');
  const publish = useChange((event: string) =>
    ask(client.POST("/api/v1/events", { body: JSON.parse(event) })),
  );
  const answer = publish.data as { receivers: number } | undefined;
  return (
    <Card title="Publish an event">
      <form
        className={ui.cardBody}
        onSubmit={(event) => {
          event.preventDefault();
          publish.mutate(text);
        }}
      >
        <p className={ui.soft}>It goes to every run that waits for it; if none does, it is kept for a day.</p>
        <label className={ui.field}>
          <span>Event, an object with a type (CloudEvents are welcome)</span>
          <textarea
            className={ui.textarea}
            value={text}
            onChange={(event) => setText(event.target.value)}
            spellCheck={false}
          />
        </label>
        {publish.error !== null && <ProblemNote problem={publish.error} />}
        <div className={ui.dialogFoot}>
          <span role="status" className={ui.soft}>
            {answer !== undefined &&
              (answer.receivers === 0
                ? "Nobody waited for it; it is kept."
                : `${answer.receivers} waits met it.`)}
          </span>
          <Button look="primary" type="submit" disabled={publish.isPending}>
            Publish
          </Button>
        </div>
      </form>
    </Card>
  );
}

function SignalCard() {
  const [run, setRun] = useState("");
  const [name, setName] = useState("");
  const [data, setData] = useState("{}");
  const send = useChange((_: null) =>
    ask(
      client.POST("/api/v1/runs/{id}/signal", {
        params: { path: { id: run.trim() } },
        body: { name, data: JSON.parse(data) },
      }),
    ),
  );
  return (
    <Card title="Send a signal to one run">
      <form
        className={ui.cardBody}
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate(null);
        }}
      >
        <label className={ui.field}>
          <span>Id of the run</span>
          <input className={ui.input} value={run} onChange={(event) => setRun(event.target.value)} required />
        </label>
        <label className={ui.field}>
          <span>Name of the signal</span>
          <input
            className={ui.input}
            value={name}
            onChange={(event) => setName(event.target.value)}
            required
          />
        </label>
        <label className={ui.field}>
          <span>Data, as JSON</span>
          <textarea
            className={ui.textarea}
            value={data}
            onChange={(event) => setData(event.target.value)}
            spellCheck={false}
          />
        </label>
        {send.error !== null && <ProblemNote problem={send.error} />}
        <div className={ui.dialogFoot}>
          <span role="status" className={ui.soft}>
            {send.isSuccess && "Sent."}
          </span>
          <Button look="primary" type="submit" disabled={send.isPending}>
            Send
          </Button>
        </div>
      </form>
    </Card>
  );
}
