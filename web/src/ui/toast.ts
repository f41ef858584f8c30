import { h, icon } from "./dom";

let shelf: HTMLElement | null = null;

/** Shows a message for a while; screen readers say it. An `alert` interrupts them and stays until it is closed. Gives what
 * takes it away before. */
export function toast(message: string, kind: "info" | "good" | "alert" = "info"): () => void {
  shelf ??= document.body.appendChild(h("div", { class: "toasts", role: "region", "aria-label": "Messages" }));
  const close = h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss" }, icon("close"));
  const box = h("div", { class: `toast ${kind}`, role: kind === "alert" ? "alert" : "status" }, h("p", {}, message), close);
  const leave = (): void => box.remove();
  close.addEventListener("click", leave);
  shelf.append(box);
  while (shelf.children.length > 3) shelf.firstElementChild?.remove();
  if (kind !== "alert") setTimeout(leave, 6_000);
  return leave;
}
