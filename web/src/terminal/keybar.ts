import { h, icon } from "../ui/dom";

/** What the bar needs of the terminal in front. */
export interface KeyTarget {
  /** Takes keys as if they were typed. */
  press(data: string): void;
  focus(): void;
  /** Whether a program asked for the other kind of arrows (DECCKM). */
  readonly applicationArrows: boolean;
}

const ARROWS = [
  { name: "Up", letter: "A", turn: "90" },
  { name: "Down", letter: "B", turn: "-90" },
  { name: "Left", letter: "D", turn: "0" },
  { name: "Right", letter: "C", turn: "180" },
];

/** The keys that on-screen keyboards lack, in a row above them. Only shown where a finger is the pointer. */
export class KeyBar {
  readonly element = h("div", { class: "key-bar", role: "toolbar", "aria-label": "Keys of the terminal" });
  private readonly ctrl = this.key("Ctrl", "Ctrl, held for the next key", () => this.hold(!this.held));
  private held = false;

  constructor(private readonly target: () => KeyTarget | undefined) {
    this.ctrl.setAttribute("aria-pressed", "false");
    this.element.append(
      this.key("Esc", "Esc", () => this.press("\x1b")),
      this.key("Tab", "Tab", () => this.press("\t")),
      this.ctrl,
      ...ARROWS.map(({ name, letter, turn }) => {
        const button = this.key("", `Arrow ${name.toLowerCase()}`, () => this.arrow(letter));
        const drawn = icon("left");
        drawn.dataset.turn = turn;
        button.append(drawn);
        return button;
      }),
      this.key("|", "Vertical bar", () => this.press("|")),
      this.key("-", "Hyphen", () => this.press("-")),
      this.key("/", "Slash", () => this.press("/")),
    );
    // The terminal keeps the focus, and with it the on-screen keyboard.
    for (const kind of ["pointerdown", "mousedown"]) {
      this.element.addEventListener(kind, (event) => event.preventDefault());
    }
  }

  /** What is to be sent for what was typed: with Ctrl held, the first key's control character. */
  typed(data: string): string {
    if (!this.held) return data;
    this.hold(false);
    const control = controlOf(data);
    return control ?? data;
  }

  private key(label: string, name: string, deed: () => void): HTMLButtonElement {
    const button = h("button", { type: "button", class: "key", "aria-label": name }, label);
    button.addEventListener("click", (event) => {
      deed();
      // By keyboard (no click of a pointer) the focus stays here, for the next key.
      if (event.detail > 0) this.target()?.focus();
    });
    return button;
  }

  private press(data: string): void {
    this.target()?.press(data);
  }

  private arrow(letter: string): void {
    const target = this.target();
    if (!target) return;
    if (this.held) {
      this.hold(false);
      target.press(`\x1b[1;5${letter}`);
    } else target.press(`\x1b${target.applicationArrows ? "O" : "["}${letter}`);
  }

  private hold(on: boolean): void {
    this.held = on;
    this.ctrl.setAttribute("aria-pressed", String(on));
  }
}

/** The control character of a key: Ctrl-C for `c`; null where there is none. */
export function controlOf(key: string): string | null {
  if (key === " ") return "\0";
  if (key === "?") return "\x7f";
  if (key === "/" || key === "-") return "\x1f";
  return /^[@-_a-z]$/.test(key) ? String.fromCharCode(key.charCodeAt(0) & 0x1f) : null;
}

/** Keeps the page above the on-screen keyboard where the browser only covers it (iOS): the visible height becomes the
 * page's. */
export function followKeyboard(): void {
  const view = window.visualViewport;
  if (!view || !matchMedia("(pointer: coarse)").matches) return;
  const fit = (): void => {
    // Someone who has zoomed in sees a part of the page, not a smaller one.
    if (view.scale > 1.01) return;
    document.documentElement.style.setProperty("--visible", `${Math.round(view.height)}px`);
    if (view.offsetTop > 0) scrollTo(0, 0);
  };
  view.addEventListener("resize", fit);
  fit();
}
