import { need } from "./dom";

/** Opens a dialog of the page; resolves with the value of the button that closed it, or "" after Escape. */
export function ask(selector: string): Promise<string> {
  const dialog = need<HTMLDialogElement>(selector);
  dialog.returnValue = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

/** A click on a dialog's backdrop closes it, as Escape does. */
export function setUpDialogs(): void {
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog && !dialog.hasAttribute("data-stays")) dialog.close("");
    });
  }
}
