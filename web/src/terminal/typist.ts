import type { Terminal } from "@xterm/xterm";

const PROMPT_WITHIN = 2_000;

/** Types what a page asks for into a terminal: not before its shell shows a prompt, and several lines as one paste, so
 * that a shell takes them as one command. */
export class Typist {
  private greeted!: () => void;
  /** Resolves when the shell shows its prompt, or has had time to. */
  private ready!: Promise<void>;

  constructor(
    private readonly terminal: Pick<Terminal, "paste" | "scrollToBottom" | "buffer">,
    private readonly input: (text: string) => void,
  ) {
    this.again();
  }

  /** A new shell comes: what is typed waits for its prompt. */
  again(): void {
    this.ready = new Promise((resolve) => (this.greeted = resolve));
  }

  /** A shell that this page has not shown before is there. */
  fresh(): void {
    setTimeout(this.greeted, PROMPT_WITHIN);
  }

  /** The screen has drawn something: a cursor that stands behind something is most likely a prompt's. */
  drawn(): void {
    if (this.terminal.buffer.active.cursorX > 0) this.greeted();
  }

  async type(text: string, enter: boolean): Promise<void> {
    await this.ready;
    if (text.includes("\n")) this.terminal.paste(text);
    else this.input(text);
    if (enter) this.input("\r");
    this.terminal.scrollToBottom();
  }
}
