/** How long a terminal must be silent for what was run in it to count as done, in milliseconds. */
const SILENCE = 600;

/** Tells when the terminals have put something out and are silent again. */
export class Quiet {
  private readonly handlers = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Hears of it from now on; answers how to stop. */
  on(handler: () => void): () => void {
    this.handlers.add(handler);
    return () => this.handlers.delete(handler);
  }

  /** A terminal has put something out. */
  output(): void {
    if (this.handlers.size === 0) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      for (const handler of this.handlers) handler();
    }, SILENCE);
  }
}
