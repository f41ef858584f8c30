import { h } from "../../src/ui/dom.js";
import { Bar } from "./bar.js";
import { Boatyard } from "./boatyard.js";
import { Cover, type Act } from "./cover.js";
import keyStyles from "../../src/styles/keybar.css";
import elementStyles from "./element.css";
import { BoatyardError } from "./errors.js";
import { onReading } from "./reading.js";
import { isDark, onScheme } from "./scheme.js";
import type { Screen } from "./screen.js";
import type { SessionOptions, Status } from "./types.js";
import { numberOf } from "./words.js";

/** The element's name. */
export const TAG = "boatyard-terminal";

/** What holds for all elements of a page that do not say otherwise. */
export const defaults: { server: string | null } = { server: null };

/** How long a message stays that is of no lasting state, in milliseconds. */
const BRIEFLY = 8_000;

// Where there is no page, as in a program that renders pages ahead of time, the element is only a name.
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

let sheet: CSSStyleSheet | undefined;

/**
 * `<boatyard-terminal>`: a terminal of a session on a Boatyard server. All of a page that ask for the same server and kind of
 * session share one.
 *
 * Attributes: `server`; `node` (`node1`); `name` (of the terminal on that node; `main` for the node's first on the page);
 * `number` (its place on the page); `template`, `image`, `course`, `lesson` (of the session); `start="load"` (else a session
 * starts when someone wants it); `theme` (`light` or `dark`, else as the page is).
 */
export class BoatyardTerminal extends Base {
  static readonly observedAttributes = ["theme"];
  private yard: Boatyard | null = null;
  private screen: Screen | null = null;
  private showing: Promise<Screen> | null = null;
  private session: string | null = null;
  /** Raised whenever a screen is dropped: one that was still coming up then is of no use. */
  private turn = 0;
  /** Someone pressed a button to get here, and wants to type. */
  private keen = false;
  private bar: Bar | null = null;
  private leaves: (() => void)[] = [];
  private readonly cover = new Cover();
  private readonly frame = h("div", { class: "frame", part: "screen" });
  private readonly notice = h("p", { class: "notice", role: "status", hidden: true });
  private readonly end = h("span", { class: "end", tabindex: "-1", role: "note" }, "Left the terminal. Tab goes on.");
  private brief: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    sheet ??= new CSSStyleSheet();
    if (sheet.cssRules.length === 0) sheet.replaceSync(keyStyles + elementStyles);
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
  }

  /** The server and the session that this terminal is of; null where no server is named. */
  get boatyard(): Boatyard | null {
    return this.yard;
  }

  /** The node that it is on. */
  get node(): string {
    return this.getAttribute("node") ?? "node1";
  }

  /** The number by which blocks and links of the page name it. */
  get number(): number {
    const said = Number(this.getAttribute("number"));
    if (said > 0) return said;
    for (const name of this.classList) {
      const number = numberOf(name);
      if (number !== null) return number;
    }
    return [...document.querySelectorAll(TAG)].indexOf(this) + 1;
  }

  /** The terminal's name on its node. */
  get terminalName(): string {
    const said = this.getAttribute("name");
    if (said) return said;
    const here = (each: Element): boolean => (each.getAttribute("node") ?? "node1") === this.node && !each.hasAttribute("name");
    const first = [...document.querySelectorAll(TAG)].find(here);
    return first === this ? "main" : `term${this.number}`;
  }

  attributeChangedCallback(): void {
    if (this.yard) this.colour();
  }

  connectedCallback(): void {
    if (this.yard) return;
    const root = this.shadowRoot!;
    const server = this.getAttribute("server") ?? defaults.server;
    try {
      if (!server) throw new TypeError("It has no attribute `server` with the address of a Boatyard.");
      this.yard = Boatyard.at(server, this.wanted());
    } catch (error) {
      root.replaceChildren(h("div", { class: "box" }, this.cover.element));
      this.cover.say("This terminal leads nowhere", (error as Error).message, []);
      return;
    }
    const yard = this.yard;
    this.bar = new Bar(yard, {
      openPort: (port) => void yard.openPort(this.node, port).catch((e: Error) => this.briefly(e.message)),
      say: (text) => this.briefly(text),
    });
    const stage = h("div", { class: "stage" }, this.frame, this.notice, this.cover.element, this.end);
    root.replaceChildren(arrow(), h("div", { class: "box", part: "box" }, this.bar.element, stage));
    this.leaves = [
      yard.on("status", (status) => this.entered(status)),
      yard.on("session", () => this.fill()),
      yard.on("warning", ({ seconds_left }) => this.briefly(`The session ends in ${Math.round(seconds_left / 60)} min.`)),
      onScheme(() => this.colour()),
      onReading((on) => this.screen?.setReading(on)),
    ];
    this.colour();
    this.entered(yard.status);
    // The page's other elements are there by then, and with them what this one is called.
    queueMicrotask(() => {
      if (!this.isConnected || yard.status.state !== "idle") return;
      if (yard.isKept) void yard.resume().catch(() => undefined);
      else if (this.getAttribute("start") === "load") this.begin();
    });
  }

  disconnectedCallback(): void {
    // Moved within the page, it is there again at once.
    queueMicrotask(() => {
      if (this.isConnected) return;
      for (const leave of this.leaves) leave();
      this.leaves = [];
      this.drop();
      this.bar?.dispose();
      this.bar = null;
      this.yard = null;
    });
  }

  /** Types text, and runs it where `enter` is not false. Starts a session where there is none, and waits for the prompt. */
  async type(text: string, enter = true): Promise<void> {
    const screen = await this.ready();
    await screen.type(text, enter);
  }

  override focus(options?: FocusOptions): void {
    if (this.screen && this.cover.element.hidden) this.screen.focus();
    else this.shadowRoot?.querySelector<HTMLElement>(".cover button")?.focus(options);
  }

  private wanted(): SessionOptions {
    const wanted: SessionOptions = {};
    for (const key of ["template", "image", "course", "lesson"] as const) {
      const value = this.getAttribute(key);
      if (value) wanted[key] = value;
    }
    if (this.getAttribute("keep") === "none") wanted.keep = "none";
    return wanted;
  }

  private async ready(): Promise<Screen> {
    if (!this.yard) throw new BoatyardError("refused", { type: "about:blank", status: 0, title: "No server", detail: "This terminal has no server." });
    await this.yard.start();
    return this.show();
  }

  private begin(keen = false): void {
    this.keen = keen;
    void this.yard?.start().catch(() => undefined);
  }

  private entered(status: Status): void {
    this.dispatchEvent(new CustomEvent("boatyard-status", { detail: status, bubbles: true, composed: true }));
    this.fill();
    const again = (label: string): Act => ({ label, deed: () => this.begin(true), main: true });
    switch (status.state) {
      case "idle":
        return this.cover.say(`A terminal on ${new URL(this.yard!.server).host}`, "", [again("Start")]);
      case "starting":
        this.drop();
        return this.cover.wait("Starting your machine…");
      case "running":
        // A failure is on the cover already.
        return void this.show().catch(() => undefined);
      case "ended":
        this.drop();
        return this.cover.say("The session has ended", status.detail, [again("Start a new one")]);
      case "failed":
        return this.failed(status.error, again("Try again"));
    }
  }

  private failed(error: BoatyardError, again: Act): void {
    this.drop();
    const { problem, kind } = error;
    const acts = [again];
    let detail = error.message;
    if (kind === "full") {
      const { running, next_end: end } = problem;
      const when = end ? ` The first of them ends at ${new Date(end).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })} at the latest.` : "";
      detail = `${running ? `${running} of ${running} places are in use.` : "All places are in use."}${when} It goes on here by itself as soon as one is free.`;
    }
    if (error.code === "client-limit") detail = "It was started on another page or in another tab. Go on in it here, or end it there first.";
    if (kind === "unreachable") detail += " It goes on here by itself when it answers again.";
    if (kind === "limit" && this.yard?.canRejoin) {
      acts.unshift({ label: "Go on in the earlier one", deed: () => void this.yard?.rejoin().catch(() => undefined), main: true });
      again.main = false;
    }
    this.cover.say(problem.title, detail, acts);
  }

  /** Brings the terminal of the running session up. */
  private show(): Promise<Screen> {
    const session = this.yard?.session?.id ?? null;
    if (this.session !== session) this.drop();
    this.session = session;
    const showing = (this.showing ??= this.raise());
    showing.catch((error: unknown) => {
      if (this.showing !== showing) return;
      this.showing = null;
      const retry: Act = { label: "Try again", deed: () => void this.show().catch(() => undefined), main: true };
      if (this.yard?.session) this.cover.say(error instanceof BoatyardError ? error.problem.title : "The terminal did not open", (error as Error).message, [retry]);
    });
    return showing;
  }

  private async raise(): Promise<Screen> {
    const { yard, node, terminalName: name } = this;
    if (!yard) throw new Error("It was taken away.");
    const { turn } = this;
    this.cover.wait(yard.nodes.some((each) => each.name === node) ? "Connecting…" : `Adding ${node}…`);
    const [{ Screen, styles }] = await Promise.all([import("./screen.js"), yard.node(node)]);
    const link = yard.terminal(node, name);
    // `main` is always there.
    if (name !== "main") await link.open(80, 24);
    if (this.turn !== turn) throw new Error("The session has ended meanwhile.");
    const sheets = this.shadowRoot!.adoptedStyleSheets;
    if (!sheets.includes(styles)) this.shadowRoot!.adoptedStyleSheets = [styles, ...sheets];
    this.cover.hide();
    const screen = new Screen(this.frame, this.frame.closest(".box")!, link, node, `Terminal ${name} on ${node}`, {
      state: (state) => {
        this.dataset.state = state;
        this.frame.classList.toggle("faded", state === "waiting");
        if (state === "gone" && this.screen === screen) this.closed();
      },
      notice: (text) => this.say(text),
      port: ({ port, path }) => void yard.openPort(node, Number(port), path).catch((e: Error) => this.briefly(e.message)),
      leave: () => this.leave(),
    });
    this.screen = screen;
    this.colour();
    if (this.keen && [document.body, this].includes(document.activeElement as HTMLElement)) screen.focus();
    this.keen = false;
    return screen;
  }

  /** The terminal is gone for good, while the session may go on. */
  private closed(): void {
    const there = this.yard?.nodes.some((each) => each.name === this.node);
    this.drop();
    if (!this.yard?.session) return;
    const title = there ? "This terminal was closed" : `${this.node} has left the session`;
    this.cover.say(title, "", [{ label: there ? "Open it again" : "Add it again", deed: () => void this.show().catch(() => undefined), main: true }]);
  }

  /** Puts the focus behind the terminal, which keeps Tab to itself. */
  private leave(): void {
    // Chromium goes on from the start of the shadow tree where it stands on something that is no stop itself.
    this.end.tabIndex = 0;
    this.end.addEventListener("blur", () => (this.end.tabIndex = -1), { once: true });
    this.end.focus();
  }

  private drop(): void {
    const { screen } = this;
    this.turn += 1;
    this.screen = null;
    this.showing = null;
    this.session = null;
    this.say(null);
    delete this.dataset.state;
    screen?.dispose();
  }

  private fill(): void {
    this.bar?.show(this.yard?.session ?? null, this.node, this.terminalName);
  }

  private colour(): void {
    const theme = this.getAttribute("theme");
    const dark = theme === "dark" || (theme !== "light" && isDark(this));
    this.dataset.scheme = dark ? "dark" : "light";
    this.screen?.restyle(dark);
  }

  private briefly(text: string): void {
    this.say(text);
    this.brief = setTimeout(() => this.say(null), BRIEFLY);
  }

  private say(text: string | null): void {
    clearTimeout(this.brief);
    this.notice.hidden = text === null;
    this.notice.textContent = text ?? "";
  }
}

/** The one icon of the server's pages that is needed here too, as the key bar names it. */
function arrow(): Element {
  const make = (tag: string): Element => document.createElementNS("http://www.w3.org/2000/svg", tag);
  const [svg, symbol, path] = [make("svg"), make("symbol"), make("path")];
  symbol.id = "i-left";
  symbol.setAttribute("viewBox", "0 0 16 16");
  path.setAttribute("d", "M10 3L5 8l5 5");
  svg.setAttribute("hidden", "");
  svg.append(symbol);
  symbol.append(path);
  return svg;
}

/** Makes the element known to the page. */
export function define(): void {
  if (globalThis.customElements && !customElements.get(TAG)) customElements.define(TAG, BoatyardTerminal);
}
