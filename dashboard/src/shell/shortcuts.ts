// Owns the keys that work on every page: `g` and a letter, `/`, `?`, Ctrl or Cmd with K.
import { useEffect } from "react";
import { useNavigate } from "react-router";
import { PLACES } from "./places";

/** How long after `g` its letter may come. */
const SEQUENCE_MS = 1_500;

/** Whether keys belong to what has the focus. */
function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName))
  );
}

export function useShortcuts(openPalette: () => void, openHelp: () => void) {
  const navigate = useNavigate();
  useEffect(() => {
    let since = Number.NEGATIVE_INFINITY;
    const listen = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        openPalette();
        return;
      }
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "?") openHelp();
      else if (event.key === "/") {
        const search = document.querySelector<HTMLInputElement>("[data-search]");
        if (search === null) openPalette();
        else search.focus();
        event.preventDefault();
      } else if (event.key === "g") since = event.timeStamp;
      else if (event.timeStamp - since < SEQUENCE_MS) {
        since = Number.NEGATIVE_INFINITY;
        const place = PLACES.find(({ letter }) => letter === event.key);
        if (place !== undefined) navigate(place.path);
      }
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [navigate, openPalette, openHelp]);
}
