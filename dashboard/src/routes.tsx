// Owns the map of the dashboard: every page and its address.
import { createBrowserRouter } from "react-router";
import { HomePage } from "./home/HomePage";
import { IncidentsPage } from "./incidents/IncidentsPage";
import { RunPage } from "./runs/RunPage";
import { RunsPage } from "./runs/RunsPage";
import { SchedulesPage } from "./schedules/SchedulesPage";
import { SettingsPage } from "./settings/SettingsPage";
import { MissingPage } from "./shell/MissingPage";
import { Shell } from "./shell/Shell";
import { SignalsPage } from "./signals/SignalsPage";
import { TaskPage } from "./tasks/TaskPage";
import { TasksPage } from "./tasks/TasksPage";
import { WorkflowPage } from "./workflows/WorkflowPage";
import { WorkflowsPage } from "./workflows/WorkflowsPage";

export const router = createBrowserRouter(
  [
    {
      element: <Shell />,
      children: [
        { index: true, element: <HomePage /> },
        { path: "runs", element: <RunsPage /> },
        { path: "runs/:id", element: <RunPage /> },
        { path: "incidents", element: <IncidentsPage /> },
        { path: "workflows", element: <WorkflowsPage /> },
        { path: "workflows/*", element: <WorkflowPage /> },
        { path: "tasks", element: <TasksPage /> },
        { path: "tasks/:id", element: <TaskPage /> },
        { path: "schedules", element: <SchedulesPage /> },
        { path: "signals", element: <SignalsPage /> },
        { path: "settings", element: <SettingsPage /> },
        { path: "*", element: <MissingPage /> },
      ],
    },
  ],
  { basename: new URL(document.baseURI).pathname.replace(/\/$/, "") || "/" },
);
