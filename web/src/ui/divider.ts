import { recall, remember } from "./memory";

const LEAST = 22;
const MOST = 75;

/** Where a divider's place is kept and how it is measured. */
export interface DividerSettings {
  /** Name under which the browser remembers the place. */
  key: string;
  /** The custom property of the container that gets the share of one pane, in percent. */
  property: string;
  /** The share, in percent, where nothing is remembered. */
  initial: number;
  /** Whether the panes lie one above the other now. */
  vertical?: () => boolean;
  /** Whether the share is that of the pane after the divider. */
  fromEnd?: boolean;
}

/** Lets a separator between two panes be dragged or moved with the arrow keys; the place is remembered. */
export function setUpDivider(divider: HTMLElement, container: HTMLElement, settings: DividerSettings): void {
  const { key, property, initial, vertical = () => false, fromEnd = false } = settings;
  const place = (percent: number, keep: boolean): void => {
    const p = Math.min(MOST, Math.max(LEAST, percent));
    container.style.setProperty(property, `${p}%`);
    divider.setAttribute("aria-valuenow", String(Math.round(p)));
    if (keep) remember(key, p.toFixed(1));
  };
  const now = (): number => Number(divider.getAttribute("aria-valuenow"));
  divider.setAttribute("aria-valuemin", String(LEAST));
  divider.setAttribute("aria-valuemax", String(MOST));
  place(Number(recall(key) ?? initial), false);

  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    container.classList.add("dragging");
    event.preventDefault();
  });
  divider.addEventListener("pointermove", (event) => {
    if (!divider.hasPointerCapture(event.pointerId)) return;
    const box = container.getBoundingClientRect();
    const share = vertical() ? (event.clientY - box.top) / box.height : (event.clientX - box.left) / box.width;
    place((fromEnd ? 1 - share : share) * 100, false);
  });
  const drop = (): void => {
    if (!container.classList.contains("dragging")) return;
    container.classList.remove("dragging");
    place(now(), true);
  };
  divider.addEventListener("pointerup", drop);
  divider.addEventListener("pointercancel", drop);
  divider.addEventListener("dblclick", () => place(initial, true));
  divider.addEventListener("keydown", (event) => {
    const [back, forth] = vertical() ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
    const step = (event.shiftKey ? 10 : 2) * (fromEnd ? -1 : 1);
    if (event.key === back) place(now() - step, true);
    else if (event.key === forth) place(now() + step, true);
    else if (event.key === "Home") place(fromEnd ? MOST : LEAST, true);
    else if (event.key === "End") place(fromEnd ? LEAST : MOST, true);
    else return;
    event.preventDefault();
  });
}
