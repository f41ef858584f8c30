import { h } from "../../src/ui/dom.js";
import hintStyles from "./hint.css";

/** How far the words stand from what they are about, in pixels. */
const GAP = 4;

/** Words beside a block or a button of the page: what a click does, and how it went. One for the whole page, above everything,
 * so that no block's own edges cut it and nothing of the page's layout moves. */
class Hint {
  private readonly words = h("div", { class: "hint", role: "status" });
  private readonly host = h("div", {});
  private about: Element | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(hintStyles);
    const root = this.host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(this.words);
    document.body.append(this.host);
    addEventListener("scroll", () => this.place(), { capture: true, passive: true });
    addEventListener("resize", () => this.place(), { passive: true });
  }

  /** Says something about an element; for a while, where `ms` is given. */
  say(about: HTMLElement, words: string, state: "offer" | "done" | "failed", ms?: number): void {
    clearTimeout(this.timer);
    this.about = about;
    this.words.dataset.state = state;
    // What a click would do is told by the button itself; only what came of it is news.
    this.words.setAttribute("role", state === "offer" ? "none" : "status");
    if (this.words.textContent !== words) this.words.textContent = words;
    this.place();
    if (ms !== undefined) this.timer = setTimeout(() => this.clear(about), ms);
  }

  /** Takes away what is said about an element. */
  clear(about: Element): void {
    if (this.about !== about) return;
    clearTimeout(this.timer);
    this.about = null;
    this.words.textContent = "";
  }

  private place(): void {
    if (!this.about) return;
    const at = this.about.getBoundingClientRect();
    if (at.bottom < 0 || at.top > innerHeight || at.width === 0) return this.clear(this.about);
    const { width, height } = this.words.getBoundingClientRect();
    const above = at.top - height - GAP;
    this.words.style.top = `${above >= 0 ? above : Math.min(at.bottom + GAP, innerHeight - height)}px`;
    this.words.style.left = `${Math.max(GAP, Math.min(at.right - width, innerWidth - width - GAP))}px`;
  }
}

let one: Hint | undefined;

/** The page's. */
export function hint(): Hint {
  return (one ??= new Hint());
}
