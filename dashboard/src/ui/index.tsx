// Owns the building blocks of every page. They know no routes and ask no data.
import { AlertTriangle } from "lucide-react";
import { Dialog as RadixDialog } from "radix-ui";
import type { ButtonHTMLAttributes, ReactNode } from "react";
import type { Problem } from "../api/client";
import css from "./ui.module.css";

export { css };

type Look = "plain" | "primary" | "danger" | "bare";

export function Button({
  look = "plain",
  className = "",
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { look?: Look }) {
  return (
    <button
      type="button"
      className={`${css.button} ${look === "plain" ? "" : css[look]} ${className}`}
      {...rest}
    />
  );
}

export function Card({
  title,
  actions,
  children,
}: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={css.card}>
      {title !== undefined && (
        <header className={css.cardHead}>
          <h2>{title}</h2>
          <div className={css.row}>{actions}</div>
        </header>
      )}
      {children}
    </section>
  );
}

/** What stands where nothing is: why, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={css.empty}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** What failed, why, and what can be done. */
export function ProblemNote({ problem, retry }: { problem: Error; retry?: () => void }) {
  const refusal = problem as Partial<Problem>;
  return (
    <div className={css.problem} role="alert">
      <AlertTriangle size={18} aria-hidden />
      <div>
        <strong>{problem.name}</strong>
        <p>{problem.message}</p>
        {refusal.code !== undefined && (
          <p className={css.soft}>
            code <code>{refusal.code}</code>
          </p>
        )}
        {retry !== undefined && (
          <p>
            <Button onClick={retry}>Try again</Button>
          </p>
        )}
      </div>
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <p className={css.skeleton} role="status">
      Loading {what}…
    </p>
  );
}

export function Json({ value }: { value: unknown }) {
  return <pre className={css.json}>{value === undefined ? "nothing" : JSON.stringify(value, null, 2)}</pre>;
}

/** Pairs of a name and what it stands for. */
export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <dl className={css.facts}>
      {facts.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Dialog({
  open,
  close,
  title,
  description,
  children,
}: {
  open: boolean;
  close: () => void;
  title: string;
  description: string;
  children: ReactNode;
}) {
  return (
    <RadixDialog.Root open={open} onOpenChange={(now) => !now && close()}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className={css.overlay} />
        <RadixDialog.Content className={css.dialog}>
          <RadixDialog.Title asChild>
            <h2>{title}</h2>
          </RadixDialog.Title>
          <RadixDialog.Description className={css.soft}>{description}</RadixDialog.Description>
          {children}
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}
