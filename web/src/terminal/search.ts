import type { SearchAddon } from "@xterm/addon-search";
import type { Terminal } from "@xterm/xterm";
import { h, icon } from "../ui/dom";

const decorations = {
  matchBackground: "#8a6d1f",
  matchOverviewRuler: "#c79a2b",
  activeMatchBackground: "#b3341d",
  activeMatchColorOverviewRuler: "#ff8463",
};

/** The search bar of one terminal. */
export class SearchBar {
  private readonly field = h("input", {
    type: "search",
    placeholder: "Find in this terminal",
    "aria-label": "Find in this terminal",
    spellcheck: "false",
    autocomplete: "off",
  });
  private readonly count = h("output", { class: "count" });
  private readonly element: HTMLElement;

  constructor(
    host: HTMLElement,
    private readonly terminal: Terminal,
    private readonly addon: SearchAddon,
  ) {
    const button = (name: string, label: string, deed: () => void): HTMLButtonElement =>
      h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick: deed }, icon(name));
    this.element = h(
      "div",
      { class: "term-search", role: "search", hidden: true },
      this.field,
      this.count,
      button("up", "Previous match", () => this.find(-1)),
      button("down", "Next match", () => this.find(1)),
      button("close", "Close the search", () => this.close()),
    );
    host.append(this.element);
    this.field.addEventListener("input", () => this.find(1, true));
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.find(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") this.close();
      else return;
      event.preventDefault();
    });
    addon.onDidChangeResults(({ resultIndex, resultCount }) => {
      this.count.value = this.field.value === "" ? "" : resultCount === 0 ? "none" : `${resultIndex + 1} of ${resultCount}`;
    });
  }

  open(): void {
    this.element.hidden = false;
    const selection = this.terminal.getSelection();
    if (selection && !selection.includes("\n")) this.field.value = selection;
    this.field.select();
    this.field.focus();
    if (this.field.value) this.find(-1, true);
  }

  private close(): void {
    this.element.hidden = true;
    this.addon.clearDecorations();
    this.terminal.focus();
  }

  private find(step: -1 | 1, incremental = false): void {
    const text = this.field.value;
    if (!text) {
      this.addon.clearDecorations();
      this.count.value = "";
      return;
    }
    if (step < 0) this.addon.findPrevious(text, { decorations });
    else this.addon.findNext(text, { decorations, incremental });
  }
}
