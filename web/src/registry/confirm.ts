import { h } from "../ui/dom";

/** Asks before something is deleted, and says what goes with it. Resolves with whether it shall. */
export function confirmDelete(title: string, consequences: string[], deed: string): Promise<boolean> {
  const keep = h("button", { class: "button", value: "", autofocus: true }, "Keep it");
  const go = h("button", { class: "button primary", value: "delete" }, deed);
  const dialog = h(
    "dialog",
    { "aria-labelledby": "reg-confirm-title" },
    h(
      "form",
      { method: "dialog", class: "dialog-body" },
      h("h2", { id: "reg-confirm-title" }, title),
      ...consequences.map((words) => h("p", {}, words)),
      h("div", { class: "dialog-foot" }, keep, go),
    ),
  );
  // A click on the backdrop is a click on the dialog itself.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close(""));
  // The drawer would take Escape for itself.
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener(
      "close",
      () => {
        dialog.remove();
        resolve(dialog.returnValue === "delete");
      },
      { once: true },
    ),
  );
}
