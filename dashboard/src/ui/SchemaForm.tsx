// Owns the form that a JSON Schema describes: one field for each property of an object, JSON for what no field can hold.
//
// Invariant: it helps to fill in, it does not judge; whether the value fits is the server's word, with its own messages.
import { useState } from "react";
import { css } from ".";

/** The part of JSON Schema that chooses a field. */
interface Schema {
  type?: string | string[];
  title?: string;
  description?: string;
  enum?: unknown[];
  default?: unknown;
  format?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
}

/** The longest text that still gets one line. */
const LINE_CHARACTERS_MAX = 200;

const INPUTS: Record<string, string> = { date: "date", email: "email", uri: "url", time: "time" };

function asSchema(schema: unknown): Schema {
  return typeof schema === "object" && schema !== null ? (schema as Schema) : {};
}

function typeOf(schema: Schema): string {
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  return types.find((type) => type !== "null") ?? "any";
}

function usual(schema: Schema): unknown {
  if (schema.default !== undefined) return schema.default;
  if (schema.properties === undefined) return undefined;
  const members = Object.entries(schema.properties).map(([name, part]) => [name, usual(part)] as const);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

/** Whether there is a field for each part of the value. */
export function hasFields(schema: unknown): boolean {
  return asSchema(schema).properties !== undefined;
}

/** What the form begins with: the defaults of the schema. */
export function startOf(schema: unknown): unknown {
  return usual(asSchema(schema)) ?? {};
}

export function SchemaForm({
  schema,
  value,
  change,
}: {
  schema: unknown;
  value: unknown;
  change: (value: unknown) => void;
}) {
  const { properties, required = [] } = asSchema(schema);
  if (properties === undefined) return <JsonField name="Data, as JSON" value={value} change={change} />;
  const members = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const set = (name: string, part: unknown) => {
    const next = { ...members, [name]: part };
    if (part === undefined) delete next[name];
    change(next);
  };
  return Object.entries(properties).map(([name, part]) => (
    <Field
      key={name}
      name={`${part.title ?? name}${required.includes(name) ? "" : " (optional)"}`}
      schema={part}
      value={members[name]}
      change={(next) => set(name, next)}
    />
  ));
}

function Field({
  name,
  schema,
  value,
  change,
}: {
  name: string;
  schema: Schema;
  value: unknown;
  change: (value: unknown) => void;
}) {
  const type = typeOf(schema);
  const hint = schema.description !== undefined && <span className={css.soft}>{schema.description}</span>;
  const text = (given: string) => change(given === "" ? undefined : given);
  if (schema.enum !== undefined) {
    const chosen = schema.enum.findIndex((one) => JSON.stringify(one) === JSON.stringify(value));
    return (
      <label className={css.field}>
        <span>{name}</span>
        <select
          className={css.input}
          value={chosen}
          onChange={(event) => change(schema.enum?.[Number(event.target.value)])}
        >
          <option value={-1}>choose…</option>
          {schema.enum.map((one, index) => (
            <option key={JSON.stringify(one)} value={index}>
              {typeof one === "string" ? one : JSON.stringify(one)}
            </option>
          ))}
        </select>
        {hint}
      </label>
    );
  }
  if (type === "boolean") {
    return (
      <label className={css.check}>
        <input type="checkbox" checked={value === true} onChange={(event) => change(event.target.checked)} />
        <span>{name}</span>
        {hint}
      </label>
    );
  }
  if (type === "integer" || type === "number") {
    return (
      <label className={css.field}>
        <span>{name}</span>
        <input
          className={css.input}
          type="number"
          step={type === "integer" ? 1 : "any"}
          min={schema.minimum}
          max={schema.maximum}
          value={typeof value === "number" ? value : ""}
          onChange={(event) => change(event.target.value === "" ? undefined : Number(event.target.value))}
        />
        {hint}
      </label>
    );
  }
  if (type === "string") {
    const shared = {
      className: css.input,
      value: typeof value === "string" ? value : "",
      maxLength: schema.maxLength,
    };
    const long = (schema.maxLength ?? 0) > LINE_CHARACTERS_MAX;
    return long ? (
      <label className={css.field}>
        <span>{name}</span>
        <textarea {...shared} onChange={(event) => text(event.target.value)} />
        {hint}
      </label>
    ) : (
      <label className={css.field}>
        <span>{name}</span>
        <input
          {...shared}
          type={INPUTS[schema.format ?? ""] ?? "text"}
          onChange={(event) => text(event.target.value)}
        />
        {hint}
      </label>
    );
  }
  return <JsonField name={`${name}, as JSON`} value={value} change={change} />;
}

/** Text that is kept as typed, and handed on whenever it is JSON. */
export function JsonField({
  name,
  value,
  change,
}: {
  name: string;
  value: unknown;
  change: (value: unknown) => void;
}) {
  const [text, setText] = useState(() => (value === undefined ? "" : JSON.stringify(value, null, 2)));
  const [flaw, setFlaw] = useState<string>();
  const take = (given: string) => {
    setText(given);
    try {
      change(given.trim() === "" ? undefined : JSON.parse(given));
      setFlaw(undefined);
    } catch (cause) {
      setFlaw(`This is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  };
  return (
    <label className={css.field}>
      <span>{name}</span>
      <textarea
        className={css.textarea}
        value={text}
        onChange={(event) => take(event.target.value)}
        aria-invalid={flaw !== undefined}
        spellCheck={false}
      />
      <span role="status" className={css.flaw}>
        {flaw}
      </span>
    </label>
  );
}
