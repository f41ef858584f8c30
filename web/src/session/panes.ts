import { need } from "../ui/dom";
import { recall, remember } from "../ui/memory";

export type PaneName = "lesson" | "both" | "terminal";

/** On a narrow page lesson and terminal share the height; a switch gives it all to one of them. */
export class PaneSwitch {
  private readonly deck = need(".deck");
  private readonly buttons = document.querySelectorAll<HTMLButtonElement>("[data-pane]");

  constructor() {
    for (const button of this.buttons) {
      button.addEventListener("click", () => this.choose(button.dataset.pane as PaneName, true));
    }
    this.choose((recall("pane") as PaneName | null) ?? "both", false);
  }

  /** Makes the terminal visible where only the lesson is. */
  revealTerminal(): void {
    if (this.deck.dataset.shown === "lesson") this.choose("both", false);
  }

  private choose(pane: PaneName, keep: boolean): void {
    this.deck.dataset.shown = pane;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.pane === pane));
    if (keep) remember("pane", pane);
  }
}
