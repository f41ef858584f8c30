import { h } from "../../src/ui/dom.js";

/** A button on the cover. */
export interface Act {
  label: string;
  deed: () => void;
  main?: boolean;
}

/** What lies over the terminal while there is none: what is up, in words, and what can be done about it. */
export class Cover {
  readonly element: HTMLElement;
  private readonly lamp = h("span", { class: "lamp", hidden: true });
  private readonly title = h("p", { class: "title" });
  private readonly detail = h("p", { class: "detail" });
  private readonly acts = h("div", { class: "acts" });

  constructor() {
    const words = h("div", { role: "status" }, this.title, this.detail);
    this.element = h("div", { class: "cover", part: "cover" }, this.lamp, words, this.acts);
  }

  hide(): void {
    this.element.hidden = true;
  }

  /** Something is under way. */
  wait(title: string): void {
    this.say(title, "", []);
    this.lamp.hidden = false;
  }

  say(title: string, detail: string, acts: Act[]): void {
    this.element.hidden = false;
    this.lamp.hidden = true;
    if (this.title.textContent !== title) this.title.textContent = title;
    if (this.detail.textContent !== detail) this.detail.textContent = detail;
    this.detail.hidden = detail === "";
    const had = this.acts.contains((this.element.getRootNode() as ShadowRoot).activeElement ?? null);
    const buttons = acts.map(({ label, deed, main }) => h("button", { type: "button", class: main ? "main" : "", onclick: deed }, label));
    this.acts.replaceChildren(...buttons);
    // Whoever pressed a button by keyboard stays where the buttons are.
    if (had) buttons[0]?.focus();
  }
}
