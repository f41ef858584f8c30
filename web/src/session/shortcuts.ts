import { ask } from "../ui/dialog";
import { need } from "../ui/dom";
import { recall, remember } from "../ui/memory";

/** The dialog of shortcuts and terminal settings: by its button, and by `?` where nothing is being typed. */
export function setUpShortcuts(setScreenReader: (on: boolean) => void): void {
  const open = (): void => void ask("#shortcuts-dialog");
  need("[data-shortcuts]").addEventListener("click", open);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    open();
  });
  const reader = need<HTMLInputElement>("#screen-reader");
  reader.checked = recall("screen-reader") === "on";
  reader.addEventListener("change", () => {
    remember("screen-reader", reader.checked ? "on" : null);
    setScreenReader(reader.checked);
  });
}
