const watching = new Set<() => void>();
let started = false;

/** How long a page's own change of colours may fade. */
const FADE = 400;

/** Whether what surrounds `element` is dark: as it says by `color-scheme`, else as its text is light. */
export function isDark(element: Element): boolean {
  const around = element.parentElement ?? element;
  const { colorScheme, color } = getComputedStyle(around);
  const schemes = colorScheme.split(" ").filter((word) => word === "light" || word === "dark");
  if (schemes.length === 1) return schemes[0] === "dark";
  if (schemes.length > 1) return matchMedia("(prefers-color-scheme: dark)").matches;
  const [r = 0, g = 0, b = 0] = (/^rgba?\(([^)]+)\)/.exec(color)?.[1] ?? "").split(/[ ,/]+/).map(Number);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 140;
}

/** Calls back when the colours of the page may have changed; answers how to stop. */
export function onScheme(handler: () => void): () => void {
  watching.add(handler);
  if (!started) {
    started = true;
    const tell = (): void => {
      for (const each of watching) each();
    };
    const soon = (): void => {
      tell();
      setTimeout(tell, FADE);
    };
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", soon);
    // Pages change their theme by a class or an attribute of one of these two.
    const observer = new MutationObserver(soon);
    for (const root of [document.documentElement, document.body]) observer.observe(root, { attributes: true });
  }
  return () => watching.delete(handler);
}
