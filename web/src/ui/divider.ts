import { recall, remember } from "./memory";

const LEAST = 22;
const MOST = 75;

/** Lets a separator between two panes be dragged or moved with the arrow keys; the place is remembered. */
export function setUpDivider(divider: HTMLElement, deck: HTMLElement): void {
  const place = (percent: number, keep: boolean): void => {
    const p = Math.min(MOST, Math.max(LEAST, percent));
    deck.style.setProperty("--split", `${p}%`);
    divider.setAttribute("aria-valuenow", String(Math.round(p)));
    if (keep) remember("split", p.toFixed(1));
  };
  const now = (): number => Number(divider.getAttribute("aria-valuenow"));
  divider.setAttribute("aria-valuemin", String(LEAST));
  divider.setAttribute("aria-valuemax", String(MOST));
  place(Number(recall("split") ?? 42), false);

  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    deck.classList.add("dragging");
    event.preventDefault();
  });
  divider.addEventListener("pointermove", (event) => {
    if (!divider.hasPointerCapture(event.pointerId)) return;
    const box = deck.getBoundingClientRect();
    place(((event.clientX - box.left) / box.width) * 100, false);
  });
  const drop = (): void => {
    if (!deck.classList.contains("dragging")) return;
    deck.classList.remove("dragging");
    place(now(), true);
  };
  divider.addEventListener("pointerup", drop);
  divider.addEventListener("pointercancel", drop);
  divider.addEventListener("dblclick", () => place(42, true));
  divider.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 10 : 2;
    if (event.key === "ArrowLeft") place(now() - step, true);
    else if (event.key === "ArrowRight") place(now() + step, true);
    else if (event.key === "Home") place(LEAST, true);
    else if (event.key === "End") place(MOST, true);
    else return;
    event.preventDefault();
  });
}
