// Owns the head of a page: its title in the tab and on the page, and what can be done there.
import { type ReactNode, useEffect } from "react";
import { css as ui } from "../ui";
import css from "./shell.module.css";

export function Page({
  title,
  head,
  actions,
  children,
}: {
  title: string;
  head?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Quadrille`;
  }, [title]);
  return (
    <div className={ui.stack}>
      <div className={css.head}>
        {head ?? <h1>{title}</h1>}
        <div className={ui.row}>{actions}</div>
      </div>
      {children}
    </div>
  );
}
