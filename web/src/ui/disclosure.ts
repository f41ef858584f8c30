/** A button that shows and hides a small panel beside it: Escape and a click elsewhere hide it. */
export function setUpDisclosure(button: HTMLButtonElement, panel: HTMLElement, opened: () => void = () => {}): { close(): void } {
  const set = (open: boolean): void => {
    panel.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) {
      opened();
      document.addEventListener("pointerdown", outside);
    } else document.removeEventListener("pointerdown", outside);
  };
  const outside = (event: Event): void => {
    if (!(event.target instanceof Element) || panel.contains(event.target) || button.contains(event.target)) return;
    // A dialog that the panel asks in, and what is said of its deeds, are part of it.
    if (!event.target.closest("dialog, .toasts")) set(false);
  };
  button.addEventListener("click", () => set(panel.hidden));
  for (const element of [button, panel]) {
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || panel.hidden) return;
      event.preventDefault();
      set(false);
      button.focus();
    });
  }
  set(false);
  return { close: () => set(false) };
}
