// The heavy part, loaded when the first terminal is shown: xterm.js and what joins it to the server, which are the modules of
// the server's own pages.
import { FitAddon } from "@xterm/addon-fit";
import { Unicode11Addon } from "@xterm/addon-unicode11";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal, type ITheme } from "@xterm/xterm";
import xtermStyles from "@xterm/xterm/css/xterm.css";
import { Connection, type ConnectionState } from "../../src/terminal/connection.js";
import { KeyBar } from "../../src/terminal/keybar.js";
import { bindKeys, isMac } from "../../src/terminal/keys.js";
import { portOf, type PortTarget } from "../../src/terminal/links.js";
import { fitting, SIZES, stepped, terminalOptions } from "../../src/terminal/options.js";
import { palette } from "../../src/terminal/palette.js";
import { Typist } from "../../src/terminal/typist.js";
import type { TerminalLink } from "./boatyard.js";
import { isReading } from "./reading.js";
import { kebab } from "./words.js";

/** What a screen tells the element around it. */
export interface ScreenEvents {
  state(state: ConnectionState): void;
  notice(text: string | null): void;
  /** A link in the terminal leads to a port of its node. */
  port(target: PortTarget): void;
  /** The keys that leave the terminal were pressed. */
  leave(): void;
}

const sheet = new CSSStyleSheet();
sheet.replaceSync(xtermStyles);

/** xterm.js's own styles, for the shadow root that a screen is in. */
export const styles: CSSStyleSheet = sheet;

/** One terminal: xterm.js within `frame`, its connection, and a bar of keys at the end of `box`. */
export class Screen {
  /** The keys that on-screen keyboards lack. */
  private readonly keys = new KeyBar(() => this);
  private readonly terminal: Terminal;
  private readonly fit = new FitAddon();
  private readonly connection: Connection;
  private readonly typist: Typist;
  private readonly watcher: ResizeObserver;
  private state: ConnectionState = "connecting";
  private opened: Promise<void> | null = null;
  private pressing = false;

  constructor(
    private readonly frame: HTMLElement,
    box: Element,
    private readonly link: TerminalLink,
    node: string,
    label: string,
    private readonly events: ScreenEvents,
  ) {
    // Before the terminal takes the room that is left.
    box.append(this.keys.element);
    this.terminal = new Terminal({ ...terminalOptions(), fontSize: SIZES.usual, screenReaderMode: isReading() });
    this.restyle(false);
    this.terminal.loadAddon(this.fit);
    this.terminal.loadAddon(
      new WebLinksAddon((_event, uri) => {
        const target = portOf(uri, node);
        if (target) events.port(target);
        else window.open(uri, "_blank", "noopener,noreferrer");
      }),
    );
    this.terminal.loadAddon(new Unicode11Addon());
    this.terminal.unicode.activeVersion = "11";
    this.terminal.open(frame);
    const leave = isMac ? "Control-Shift-L" : "Ctrl-Shift-L";
    this.terminal.textarea?.setAttribute("aria-label", `${label}. ${leave} leaves it.`);
    bindKeys(this.terminal, { leave: () => events.leave(), fontSize: (step) => this.zoom(step) });
    this.typist = new Typist(this.terminal, (text) => this.connection.input(text));
    this.connection = new Connection({
      screen: this.terminal,
      url: (query) => link.url(query),
      protocols: link.protocols,
      exists: () => link.exists(),
      window: () => fitting(this.fit, this.terminal),
      onState: (state) => this.entered(state),
      onSize: () => undefined,
      onExit: (code) => this.terminal.write(`\r\n\x1b[0;2m[ended with exit code ${code} · press Enter for a new shell]\x1b[0m\r\n`),
      onFresh: () => this.typist.fresh(),
      onQueued: (bytes) => this.queued(bytes),
    });
    this.terminal.onData((data) => {
      if (this.state !== "exited") this.connection.input(this.pressing ? data : this.keys.typed(data));
      else if (data === "\r") void this.reopen();
    });
    this.terminal.onBinary((data) => this.connection.inputBytes(Uint8Array.from(data, (c) => c.charCodeAt(0))));
    this.terminal.onWriteParsed(() => {
      if (this.state === "open") this.typist.drawn();
    });
    this.watcher = new ResizeObserver(() => this.connection.resized());
    this.watcher.observe(frame);
  }

  /** Types text once the shell is ready for it, as a lesson of the server's own does. */
  async type(text: string, enter: boolean): Promise<void> {
    if (this.state === "exited") await this.reopen();
    await this.typist.type(text, enter);
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

  /** Has the output told to screen readers, or not. */
  setReading(on: boolean): void {
    this.terminal.options.screenReaderMode = on;
  }

  /** Takes colours and font from the custom properties of the element around it. */
  restyle(dark: boolean): void {
    const computed = getComputedStyle(this.frame);
    const property = (name: string): string => computed.getPropertyValue(`--boatyard-${name}`).trim();
    const theme: ITheme = { ...palette(dark) };
    for (const key of Object.keys(theme) as (keyof ITheme)[]) {
      const value = property(kebab(key));
      if (value) Object.assign(theme, { [key]: value });
    }
    this.terminal.options.theme = theme;
    const font = property("font");
    if (font) this.terminal.options.fontFamily = font;
    const size = Number.parseFloat(property("font-size"));
    if (size >= SIZES.smallest && size <= SIZES.largest) this.terminal.options.fontSize = size;
    // Before the terminal is joined to the server, it tells its size itself.
    if (this.watcher) this.connection.resized();
  }

  dispose(): void {
    this.watcher.disconnect();
    this.connection.close();
    this.terminal.dispose();
    this.frame.replaceChildren();
    this.keys.element.remove();
  }

  private zoom(step: -1 | 0 | 1): void {
    this.terminal.options.fontSize = stepped(this.terminal.options.fontSize ?? SIZES.usual, step);
    this.connection.resized();
  }

  private entered(state: ConnectionState): void {
    this.state = state;
    if (state === "open" || state === "exited") this.events.notice(null);
    if (state === "waiting") this.events.notice("Connection lost. Reconnecting… what you type is kept.");
    this.events.state(state);
  }

  private queued(bytes: number): void {
    if (bytes < 0) this.events.notice("Connection lost. Too much was typed to keep; the last input was dropped.");
    else if (bytes > 0) this.events.notice(`Reconnecting… ${bytes} ${bytes === 1 ? "byte waits" : "bytes wait"} to be sent.`);
  }

  private reopen(): Promise<void> {
    const { cols, rows } = fitting(this.fit, this.terminal);
    this.opened ??= this.link
      .open(cols, rows)
      .then(() => {
        this.typist.again();
        this.connection.connect();
      })
      .catch((error: unknown) => this.events.notice(`No new shell: ${(error as Error).message}`))
      .finally(() => (this.opened = null));
    return this.opened;
  }
}
