import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { WebglAddon } from "@xterm/addon-webgl";
import { Terminal } from "@xterm/xterm";
import type { SessionApi } from "../api/client";
import { ApiError } from "../api/client";
import { portPath } from "../session/bar";
import { may } from "../session/rights";
import { h } from "../ui/dom";
import { recall, remember } from "../ui/memory";
import { isDark, onTheme } from "../ui/theme";
import { toast } from "../ui/toast";
import { Connection, type ConnectionState } from "./connection";
import { followCursor } from "./follow";
import { bindKeys, type KeyDeeds } from "./keys";
import { portOf } from "./links";
import { fitting, SIZES, stepped, terminalOptions } from "./options";
import { palette } from "./palette";
import { silenceReports } from "./reports";
import { SearchBar } from "./search";
import { allowStyles } from "./styles";
import { Typist } from "./typist";

/** A size of our own asking is answered well within this time; what is smaller after it is someone else's doing. */
const SIZE_SETTLES = 600;
/** For so long a watcher who scrolls is left where they look. */
const LOOKS_AROUND = 5_000;

export interface PaneEvents {
  state(state: ConnectionState): void;
  /** What is to be sent for what was typed. */
  typed(data: string): string;
  title(title: string): void;
  bell(): void;
  output(): void;
}

/** What the reader of the page is to a terminal. */
export interface PaneRights {
  /** Whether what is typed counts, and the window's size. */
  write: boolean;
  /** Whether this page answers what programs ask the terminal. */
  answers(): boolean;
}

/** Those of someone who is alone with the terminal. */
export const OWN: PaneRights = { write: true, answers: () => true };

/** One terminal on the page: xterm.js, its connection, and what surrounds its screen. */
export class Pane {
  readonly element: HTMLElement;
  readonly terminal: Terminal;
  private readonly frame = h("div", { class: "term-frame" });
  private readonly notice = h("p", { class: "term-notice", role: "status", hidden: true });
  private readonly fit = new FitAddon();
  private readonly search: SearchBar;
  private readonly connection: Connection;
  private webgl: WebglAddon | null = null;
  private shown = false;
  private sizeTimer: ReturnType<typeof setTimeout> | undefined;
  private state: ConnectionState = "connecting";
  private opened: Promise<void> | null = null;
  private pressing = false;
  private readonly typist: Typist;

  constructor(
    private readonly api: SessionApi,
    readonly node: string,
    readonly id: string,
    host: HTMLElement,
    deeds: Omit<KeyDeeds, "search" | "fontSize">,
    private readonly events: PaneEvents,
    shown: boolean,
    private readonly rights: PaneRights = OWN,
  ) {
    allowStyles();
    this.element = h("div", { class: "pane" }, this.frame, this.notice);
    host.append(this.element);
    this.terminal = new Terminal({
      ...terminalOptions(rights.write),
      fontSize: Number(recall("font-size") ?? SIZES.usual),
      theme: palette(isDark()),
      screenReaderMode: recall("screen-reader") === "on",
    });
    this.terminal.loadAddon(this.fit);
    const search = new SearchAddon();
    this.terminal.loadAddon(search);
    this.terminal.loadAddon(new WebLinksAddon((_event, uri) => this.follow(uri)));
    this.terminal.loadAddon(new Unicode11Addon());
    this.terminal.unicode.activeVersion = "11";
    silenceReports(this.terminal, () => !rights.answers());
    this.terminal.open(this.frame);
    this.terminal.textarea?.setAttribute("aria-label", `Terminal ${id} on ${node}`);
    this.search = new SearchBar(this.element, this.terminal, search);
    bindKeys(this.terminal, { ...deeds, search: () => this.search.open(), fontSize: (step) => this.fontSize(step) });
    this.frame.addEventListener("contextmenu", (event) => void this.rightClick(event));
    if (!rights.write) this.onlyWatched();

    // Before the size is told: the two renderers' cells differ by a fraction, and so the columns that fit.
    if (shown) this.light();
    this.typist = new Typist(this.terminal, (text) => this.connection.input(text));
    this.connection = new Connection({
      screen: this.terminal,
      url: (query) => api.terminalSocket(node, id, query),
      exists: () => this.exists(),
      window: () => this.window(),
      onState: (state, unshared) => this.entered(state, unshared),
      onSize: () => this.sized(),
      onExit: (code) => this.exited(code),
      onFresh: () => this.typist.fresh(),
      onQueued: (bytes) => this.queued(bytes),
    });
    this.terminal.onData((data) => {
      if (this.state === "exited") {
        if (data === "\r") void this.reopen();
      } else this.connection.input(this.pressing ? data : events.typed(data));
    });
    this.terminal.onWriteParsed(() => {
      if (this.state === "open") this.typist.drawn();
      events.output();
    });
    this.terminal.onBinary((data) => this.connection.inputBytes(Uint8Array.from(data, (c) => c.charCodeAt(0))));
    this.terminal.onTitleChange((title) => events.title(title));
    this.terminal.onBell(() => this.bell());
    new ResizeObserver(() => this.refit()).observe(this.element);
    onTheme((dark) => (this.terminal.options.theme = palette(dark)));
  }

  /** Types text once the shell is ready for it. */
  async type(text: string, enter: boolean): Promise<void> {
    if (this.state === "exited") await this.reopen();
    await this.typist.type(text, enter);
  }

  show(shown: boolean): void {
    this.shown = shown;
    this.element.classList.toggle("shown", shown);
    // Browsers allow about sixteen WebGL contexts, so only a shown terminal holds one.
    if (shown) {
      this.light();
      this.refit();
      requestAnimationFrame(() => this.refit());
    } else {
      this.webgl?.dispose();
      this.webgl = null;
    }
  }

  focus(): void {
    this.terminal.focus();
  }

  /** Takes keys of the key bar, as they are. */
  press(data: string): void {
    this.pressing = true;
    this.terminal.input(data);
    this.pressing = false;
  }

  get applicationArrows(): boolean {
    return this.terminal.modes.applicationCursorKeysMode;
  }

  openSearch(): void {
    this.search.open();
  }

  setScreenReader(on: boolean): void {
    this.terminal.options.screenReaderMode = on;
  }

  dispose(): void {
    clearTimeout(this.sizeTimer);
    this.connection.close();
    this.terminal.dispose();
    this.element.remove();
  }

  private light(): void {
    if (this.webgl) return;
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => {
        webgl.dispose();
        this.webgl = null;
      });
      this.terminal.loadAddon(webgl);
      this.webgl = webgl;
    } catch {
      // No WebGL here: xterm.js goes on drawing with the DOM.
    }
  }

  private window(): { cols: number; rows: number } {
    return fitting(this.fit, this.terminal);
  }

  private refit(): void {
    if (!this.shown) return;
    this.connection.resized();
    this.sized();
  }

  /** Nothing that is typed goes anywhere: who tries is told so. */
  private onlyWatched(): void {
    this.element.classList.add("watched");
    // What happens stays in sight, unless the reader has just looked elsewhere.
    let looked = -Infinity;
    for (const kind of ["wheel", "touchmove", "pointerdown"]) {
      this.frame.addEventListener(kind, () => (looked = performance.now()), { passive: true });
    }
    // Once it is drawn: only then are the screen's measures those of its size and type.
    this.terminal.onRender(() => {
      if (performance.now() - looked > LOOKS_AROUND) followCursor(this.terminal, this.frame);
    });
    let timer: ReturnType<typeof setTimeout> | undefined;
    this.frame.addEventListener("keydown", ({ key, ctrlKey, metaKey, altKey }) => {
      if (key.length > 1 || ctrlKey || metaKey || altKey || this.state !== "open") return;
      clearTimeout(timer);
      this.say("You are watching: what you type goes nowhere.");
      timer = setTimeout(() => this.state === "open" && this.say(null), 3_000);
    });
  }

  /** Who only watches sees the terminal in the size that it has: in smaller type where the window is smaller, and beyond
   * what can be read, in a window that scrolls. */
  private scale(): void {
    const usual = Number(recall("font-size") ?? SIZES.usual);
    const { cols, rows } = this.terminal;
    let size = usual;
    this.terminal.options.fontSize = size;
    for (let fits = this.fit.proposeDimensions(); fits && size > SIZES.smallest; fits = this.fit.proposeDimensions()) {
      const share = Math.min(fits.cols / cols, fits.rows / rows);
      if (share >= 1) break;
      size = Math.max(SIZES.smallest, Math.min(size - 0.5, Math.floor(size * share * 2) / 2));
      this.terminal.options.fontSize = size;
    }
  }

  /** The terminal may be smaller than the window where someone else looks at it too. */
  private sized(): void {
    if (!this.rights.write) return this.scale();
    clearTimeout(this.sizeTimer);
    this.sizeTimer = setTimeout(() => this.showSize(), SIZE_SETTLES);
  }

  private showSize(): void {
    const { cols, rows } = this.window();
    this.element.classList.toggle("smaller", this.terminal.cols < cols || this.terminal.rows < rows);
    this.element.dataset.size = `${this.terminal.cols} × ${this.terminal.rows}, as another window shows it`;
  }

  private entered(state: ConnectionState, unshared: boolean): void {
    this.state = state;
    this.element.dataset.state = state;
    if (state === "open" || state === "exited") this.say(null);
    if (state === "waiting") this.say(`Connection lost. Reconnecting…${this.rights.write ? " what you type is kept." : ""}`);
    if (state === "gone") this.say(unshared ? "The owner has ended this share." : "This terminal was closed.");
    this.events.state(state);
  }

  private exited(code: number): void {
    const next = this.rights.write ? " · press Enter for a new shell" : "";
    this.terminal.write(`\r\n\x1b[0;2m[ended with exit code ${code}${next}]\x1b[0m\r\n`);
  }

  private async reopen(): Promise<void> {
    if (this.opened) return this.opened;
    const { cols, rows } = this.window();
    this.opened = this.api
      .openTerminal(this.node, this.id, cols, rows)
      .then(() => {
        this.typist.again();
        this.connection.connect();
      })
      .catch((error: unknown) => void toast(`The terminal did not open: ${(error as Error).message}`, "alert"))
      .finally(() => (this.opened = null));
    return this.opened;
  }

  private async exists(): Promise<boolean | "unknown"> {
    try {
      return (await this.api.terminals(this.node)).some((terminal) => terminal.id === this.id);
    } catch (error) {
      return error instanceof ApiError && [403, 404, 410].includes(error.status) ? false : "unknown";
    }
  }

  private queued(bytes: number): void {
    if (bytes < 0) this.say("Connection lost. Too much was typed to keep; the last input was dropped.");
    else if (bytes > 0) this.say(`Reconnecting… ${bytes} ${bytes === 1 ? "byte waits" : "bytes wait"} to be sent.`);
  }

  private say(text: string | null): void {
    this.notice.hidden = text === null;
    this.notice.textContent = text ?? "";
  }

  private bell(): void {
    this.element.classList.remove("rang");
    void this.element.offsetWidth;
    this.element.classList.add("rang");
    this.events.bell();
  }

  private follow(uri: string): void {
    const target = portOf(uri, this.node);
    if (target && !may("own")) return void toast("Ports open in the owner's browser only.");
    const to = target ? portPath(this.api.id, this.node, target.port, target.path) : uri;
    window.open(to, "_blank", "noopener,noreferrer");
  }

  private async rightClick(event: MouseEvent): Promise<void> {
    // Shift keeps the browser's own menu; programs that watch the mouse get the click themselves.
    if (event.shiftKey || this.terminal.modes.mouseTrackingMode !== "none" || !navigator.clipboard?.readText) return;
    event.preventDefault();
    try {
      this.terminal.paste(await navigator.clipboard.readText());
    } catch {
      toast(`The browser does not let this page read the clipboard; ${navigator.platform.includes("Mac") ? "⌘V" : "Ctrl-Shift-V"} pastes.`);
    }
    this.terminal.focus();
  }

  private fontSize(step: -1 | 0 | 1): void {
    const next = stepped(this.terminal.options.fontSize ?? SIZES.usual, step);
    remember("font-size", step === 0 ? null : String(next));
    this.terminal.options.fontSize = next;
    this.refit();
  }
}
