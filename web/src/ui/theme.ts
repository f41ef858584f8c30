import { recall, remember } from "./memory";

const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<(dark: boolean) => void>();

/** Whether the page is dark now: as chosen here, else as the system is. */
export function isDark(): boolean {
  const chosen = recall("theme");
  return chosen === null ? system.matches : chosen === "dark";
}

/** Calls back on every change of the theme. */
export function onTheme(listener: (dark: boolean) => void): void {
  listeners.add(listener);
}

/** Wires the page's theme buttons. */
export function setUpTheme(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-theme-toggle]")) {
    button.addEventListener("click", () => {
      const dark = !isDark();
      // Back on the system's own theme, there is nothing to remember.
      remember("theme", dark === system.matches ? null : dark ? "dark" : "light");
      apply();
    });
  }
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  // Paper is light.
  addEventListener("beforeprint", () => (document.documentElement.dataset.theme = "light"));
  addEventListener("afterprint", apply);
  apply();
}

function apply(): void {
  const dark = isDark();
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.setAttribute("aria-label", dark ? "Use the light theme" : "Use the dark theme");
    button.setAttribute("title", dark ? "Light theme" : "Dark theme");
  }
  for (const listener of listeners) listener(dark);
}
