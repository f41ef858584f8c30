import type { Terminal } from "@xterm/xterm";

/** Scrolls a frame that is smaller than its terminal to where the cursor is, to the left edge wherever that does. */
export function followCursor(terminal: Terminal, frame: HTMLElement): void {
  const screen = terminal.element?.querySelector<HTMLElement>(".xterm-screen");
  if (!screen || (frame.scrollHeight <= frame.clientHeight && frame.scrollWidth <= frame.clientWidth)) return;
  const { cursorX, cursorY } = terminal.buffer.active;
  const [width, height] = [screen.clientWidth / terminal.cols, screen.clientHeight / terminal.rows];
  const [right, bottom] = [(cursorX + 1) * width, (cursorY + 1) * height];
  frame.scrollLeft = right <= frame.clientWidth ? 0 : Math.max(frame.scrollLeft, right - frame.clientWidth);
  if (bottom > frame.scrollTop + frame.clientHeight) frame.scrollTop = bottom - frame.clientHeight;
  else if (bottom - height < frame.scrollTop) frame.scrollTop = bottom <= frame.clientHeight ? 0 : bottom - height;
}
