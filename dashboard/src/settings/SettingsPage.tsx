// Owns the page of what a person prefers in this browser.
import { type Theme, usePreferences } from "../preferences";
import { absolute, useNow } from "../preferences/time";
import { Page } from "../shell/Page";
import { Card, css as ui } from "../ui";

const THEMES: Theme[] = ["system", "light", "dark"];
const ZONES = ["local", "UTC", ...Intl.supportedValuesOf("timeZone")];

export function SettingsPage() {
  const [{ theme, zone, name }, prefer] = usePreferences();
  const now = useNow(1_000);
  return (
    <Page title="Settings">
      <Card title="This browser">
        <div className={ui.cardBody}>
          <label className={ui.field}>
            <span>Theme</span>
            <select
              className={ui.input}
              value={theme}
              onChange={(event) => prefer({ theme: event.target.value as Theme })}
            >
              {THEMES.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <label className={ui.field}>
            <span>Time zone</span>
            <select
              className={ui.input}
              value={zone}
              onChange={(event) => prefer({ zone: event.target.value })}
            >
              {ZONES.map((name) => (
                <option key={name} value={name}>
                  {name === "local" ? "Local time" : name}
                </option>
              ))}
            </select>
          </label>
          <label className={ui.field}>
            <span>Your name, for tasks and decisions</span>
            <input
              className={ui.input}
              value={name}
              onChange={(event) => prefer({ name: event.target.value })}
            />
          </label>
          <p className={ui.soft}>Now: {absolute(now, zone)}</p>
        </div>
      </Card>
    </Page>
  );
}
