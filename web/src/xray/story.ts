import type { XrayDeed } from "../api/types";
import { h } from "../ui/dom";
import { put } from "./keep";
import { clock } from "./words";

/** What just happened, newest first. New sentences are read out politely. */
export class Story {
  readonly element: HTMLElement;
  private readonly list = h("ol", { class: "x-deeds", "aria-live": "polite", "aria-relevant": "additions", reversed: true });
  private readonly items = new Map<number, HTMLElement>();

  /** `show` points out what a sentence is about. */
  constructor(
    private readonly show: (deed: XrayDeed) => void,
    ...tools: HTMLElement[]
  ) {
    const head = h("header", {}, h("h3", {}, "What just happened"), ...tools);
    this.element = h("section", { class: "x-story", "aria-label": "What just happened" }, head, this.list);
  }

  draw(deeds: readonly XrayDeed[], several: boolean): void {
    const newest = [...deeds].reverse();
    if (newest.length === 0) {
      put(this.list, [h("li", { class: "x-empty" }, "Nothing since you opened this. Run a docker command and watch.")]);
      return;
    }
    for (const number of this.items.keys()) if (!newest.some((deed) => deed.number === number)) this.items.delete(number);
    put(this.list, newest.map((deed) => this.item(deed, several)));
  }

  private item(deed: XrayDeed, several: boolean): HTMLElement {
    const known = this.items.get(deed.number);
    if (known) return known;
    const rest = deed.words.startsWith(deed.verb) ? deed.words.slice(deed.verb.length) : ` ${deed.words}`;
    const words = h("span", { class: "x-words" }, h("b", {}, deed.verb), rest);
    const where = several && deed.node !== null ? [h("span", { class: "x-where" }, deed.node)] : [];
    const time = h("time", { datetime: deed.at }, clock(deed.at));
    const item = h("li", { class: "x-deed" }, time, ...where, words);
    if (deed.changed.length > 0) {
      item.append(h("button", { type: "button", class: "x-point", "aria-label": `Show what changed: ${deed.words}`, onclick: () => this.show(deed) }, "show"));
    }
    this.items.set(deed.number, item);
    return item;
  }
}
