// Owns what a person prefers in this browser: theme, time zone and name. Kept in local storage, never sent anywhere.
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from "react";

export type Theme = "system" | "light" | "dark";

export interface Preferences {
  theme: Theme;
  /** `local`, or an IANA name such as `UTC`. */
  zone: string;
  /** What tasks are taken and decided by; empty until it was said. */
  name: string;
}

const KEY = "quadrille.preferences";
const USUAL: Preferences = { theme: "system", zone: "local", name: "" };

function read(): Preferences {
  try {
    return { ...USUAL, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return USUAL;
  }
}

const Context = createContext<[Preferences, (change: Partial<Preferences>) => void]>([USUAL, () => {}]);

export const usePreferences = () => useContext(Context);

export function PreferencesProvider({ children }: { children: ReactNode }) {
  const [preferences, set] = useState(read);
  useEffect(() => {
    localStorage.setItem(KEY, JSON.stringify(preferences));
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const show = () => {
      const theme = preferences.theme === "system" ? (dark.matches ? "dark" : "light") : preferences.theme;
      document.documentElement.dataset.theme = theme;
    };
    show();
    dark.addEventListener("change", show);
    return () => dark.removeEventListener("change", show);
  }, [preferences]);
  const value = useMemo(
    () => [preferences, (change: Partial<Preferences>) => set((old) => ({ ...old, ...change }))] as const,
    [preferences],
  );
  return <Context value={[...value]}>{children}</Context>;
}
