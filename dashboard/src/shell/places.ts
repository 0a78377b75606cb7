// Owns the list of places that one can go to from anywhere: navigation, palette and shortcuts are made of it.
import {
  CalendarClock,
  Hand,
  Home,
  type LucideIcon,
  Play,
  Radio,
  Settings,
  ShieldAlert,
  Workflow,
} from "lucide-react";

export interface Place {
  name: string;
  path: string;
  /** `g`, then this letter, goes there. */
  letter: string;
  icon: LucideIcon;
}

export const PLACES: Place[] = [
  { name: "Home", path: "/", letter: "h", icon: Home },
  { name: "Runs", path: "/runs", letter: "r", icon: Play },
  { name: "Incidents", path: "/incidents", letter: "i", icon: ShieldAlert },
  { name: "Workflows", path: "/workflows", letter: "w", icon: Workflow },
  { name: "Tasks for people", path: "/tasks", letter: "p", icon: Hand },
  { name: "Schedules", path: "/schedules", letter: "s", icon: CalendarClock },
  { name: "Signals and events", path: "/signals", letter: "e", icon: Radio },
  { name: "Settings", path: "/settings", letter: "t", icon: Settings },
];
