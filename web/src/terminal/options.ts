import type { FitAddon } from "@xterm/addon-fit";
import type { ITerminalOptions, Terminal } from "@xterm/xterm";

const FONT = 'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace';

/** Font sizes of a terminal, in pixels. */
export const SIZES = { smallest: 9, usual: 14, largest: 28 };

/** How every terminal is, on the server's pages and embedded elsewhere; `write` is whether what is typed counts. */
export function terminalOptions(write = true): ITerminalOptions {
  return {
    allowProposedApi: true,
    disableStdin: !write,
    cursorBlink: write && !matchMedia("(prefers-reduced-motion: reduce)").matches,
    fontFamily: FONT,
    lineHeight: 1.15,
    scrollback: 10_000,
    minimumContrastRatio: 4.5,
    macOptionIsMeta: false,
    rightClickSelectsWord: false,
  };
}

/** The columns and rows that fit, as the server takes them. */
export function fitting(fit: FitAddon, terminal: Terminal): { cols: number; rows: number } {
  const proposed = fit.proposeDimensions();
  // A hidden terminal has no size of its own and keeps the one it has.
  if (!proposed || !Number.isFinite(proposed.cols) || !Number.isFinite(proposed.rows)) {
    return { cols: terminal.cols, rows: terminal.rows };
  }
  return { cols: Math.min(1000, Math.max(2, proposed.cols)), rows: Math.min(1000, Math.max(1, proposed.rows)) };
}

/** The font size after a step up, down or back to the usual one. */
export function stepped(now: number, step: -1 | 0 | 1): number {
  return step === 0 ? SIZES.usual : Math.min(SIZES.largest, Math.max(SIZES.smallest, now + step));
}
