// Owns the command palette: pages, workflows, and a run by its id or business key, from any page.
import { useQuery } from "@tanstack/react-query";
import { Command } from "cmdk";
import { useState } from "react";
import { useNavigate } from "react-router";
import { workflows } from "../api/queries";
import { PLACES } from "./places";
import css from "./shell.module.css";

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function Palette({ open, setOpen }: { open: boolean; setOpen: (open: boolean) => void }) {
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const known = useQuery({ ...workflows(), enabled: open });
  const go = (path: string) => {
    setOpen(false);
    setText("");
    navigate(path);
  };
  const wanted = text.trim();
  return (
    <Command.Dialog
      open={open}
      onOpenChange={setOpen}
      label="Go to"
      overlayClassName={css.overlay ?? ""}
      contentClassName={css.palette ?? ""}
    >
      <Command.Input value={text} onValueChange={setText} placeholder="Page, workflow, or the id of a run" />
      <Command.List>
        <Command.Empty>Nothing is named like that.</Command.Empty>
        {ID.test(wanted) && (
          <Command.Group heading="Runs" forceMount>
            <Command.Item
              forceMount
              value={`run ${wanted}`}
              onSelect={() => go(`/runs/${wanted.toLowerCase()}`)}
            >
              Open run {wanted}
            </Command.Item>
          </Command.Group>
        )}
        <Command.Group heading="Pages">
          {PLACES.map((place) => (
            <Command.Item key={place.path} value={place.name} onSelect={() => go(place.path)}>
              <place.icon size={15} aria-hidden />
              {place.name}
              <kbd>g {place.letter}</kbd>
            </Command.Item>
          ))}
        </Command.Group>
        <Command.Group heading="Workflows">
          {known.data
            ?.filter((workflow) => workflow.latest)
            .slice(0, 200)
            .map((workflow) => (
              <Command.Item
                key={workflow.workflow}
                value={`workflow ${workflow.workflow}`}
                onSelect={() => go(`/workflows/${workflow.workflow}`)}
              >
                {workflow.workflow}
              </Command.Item>
            ))}
        </Command.Group>
        {wanted !== "" && !ID.test(wanted) && (
          <Command.Group heading="Search" forceMount>
            <Command.Item
              forceMount
              value={`search ${wanted}`}
              onSelect={() => go(`/runs?q=${encodeURIComponent(`workflow:${wanted}`)}`)}
            >
              Runs of workflow {wanted}
            </Command.Item>
          </Command.Group>
        )}
      </Command.List>
    </Command.Dialog>
  );
}
