// Owns the frame around every page: navigation, search, theme and zone, and what the keyboard can do.
import { Moon, Search, Sun, SunMoon } from "lucide-react";
import { useCallback, useState } from "react";
import { NavLink, Outlet } from "react-router";
import { type Theme, usePreferences } from "../preferences";
import { Button, Dialog, Facts } from "../ui";
import { Palette } from "./Palette";
import { PLACES } from "./places";
import css from "./shell.module.css";
import { useShortcuts } from "./shortcuts";

const THEMES: Record<Theme, [Theme, typeof Sun]> = {
  system: ["light", SunMoon],
  light: ["dark", Sun],
  dark: ["system", Moon],
};

function ThemeButton() {
  const [{ theme }, prefer] = usePreferences();
  const [next, Sign] = THEMES[theme];
  return (
    <Button
      look="bare"
      onClick={() => prefer({ theme: next })}
      aria-label={`Theme: ${theme}. Change to ${next}`}
    >
      <Sign size={16} aria-hidden />
    </Button>
  );
}

function ZoneSelect() {
  const [{ zone }, prefer] = usePreferences();
  const known = ["local", "UTC", ...(zone === "local" || zone === "UTC" ? [] : [zone])];
  return (
    <label className={css.zone}>
      <span className="visually-hidden">Time zone</span>
      <select value={zone} onChange={(event) => prefer({ zone: event.target.value })}>
        {known.map((name) => (
          <option key={name} value={name}>
            {name === "local" ? "Local time" : name}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Shell() {
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const openPalette = useCallback(() => setPalette(true), []);
  const openHelp = useCallback(() => setHelp(true), []);
  useShortcuts(openPalette, openHelp);
  return (
    <div className={css.shell}>
      <a className={css.skip} href="#content">
        Skip to content
      </a>
      <nav className={css.nav} aria-label="Main">
        <NavLink aria-label="Quadrille, home" to="/" className={css.brand} end>
          <img src="./icon.svg" alt="" width={26} height={26} />
          <span>Quadrille</span>
        </NavLink>
        <ul>
          {PLACES.map((place) => (
            <li key={place.path}>
              <NavLink to={place.path} end={place.path === "/"} title={place.name}>
                <place.icon size={17} aria-hidden />
                <span>{place.name}</span>
              </NavLink>
            </li>
          ))}
        </ul>
      </nav>
      <div className={css.page}>
        <header className={css.bar}>
          <Button look="plain" className={css.search ?? ""} onClick={openPalette}>
            <Search size={15} aria-hidden />
            <span>Go to…</span>
            <kbd>Ctrl K</kbd>
          </Button>
          <div className={css.tools}>
            <ZoneSelect />
            <ThemeButton />
            <Button look="bare" onClick={openHelp} aria-label="Keyboard shortcuts">
              ?
            </Button>
          </div>
        </header>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and has to by keys too. */}
        <main id="content" className={css.content} tabIndex={0}>
          <Outlet />
        </main>
      </div>
      <Palette open={palette} setOpen={setPalette} />
      <Dialog
        open={help}
        close={() => setHelp(false)}
        title="Keyboard"
        description="These work on every page."
      >
        <Facts
          facts={[
            ["Ctrl K or Cmd K", "Go to a page, a workflow or a run"],
            ["/", "Search on this page"],
            ["?", "This list"],
            ...PLACES.map((place): [string, string] => [`g ${place.letter}`, place.name]),
          ]}
        />
      </Dialog>
    </div>
  );
}
