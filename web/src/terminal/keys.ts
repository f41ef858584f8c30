import type { Terminal } from "@xterm/xterm";
import { copyText } from "../ui/copy";

/** What keys ask of a terminal's surroundings. */
export interface KeyDeeds {
  fontSize(step: -1 | 0 | 1): void;
  leave(): void;
  /** What only a page with a search bar and tabs has. */
  search?(): void;
  newTerminal?(): void;
  nextTerminal?(step: -1 | 1): void;
}

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** Handles the keys that are the page's and not the shell's. Only ones that browsers let through. */
export function bindKeys(terminal: Terminal, deeds: KeyDeeds): void {
  terminal.attachCustomKeyEventHandler((event) => {
    if (event.type !== "keydown") return true;
    const deed = deedOf(terminal, event, deeds);
    if (!deed) return true;
    if (deed !== "browser") {
      event.preventDefault();
      event.stopPropagation();
      deed();
    }
    return false;
  });
}

function deedOf(terminal: Terminal, event: KeyboardEvent, deeds: KeyDeeds): (() => void) | "browser" | null {
  const { code, ctrlKey: ctrl, shiftKey: shift, altKey: alt, metaKey: meta } = event;
  const copy = (): void => {
    void copyText(terminal.getSelection());
    terminal.clearSelection();
  };
  if (isMac && meta && !ctrl && !alt) {
    if (code === "KeyC" && terminal.hasSelection()) return copy;
    if (code === "KeyV") return "browser";
    if (code === "KeyF") return deeds.search ?? null;
    if (code === "KeyK") return () => terminal.clear();
  }
  if (ctrl && !alt && !meta && shift) {
    if (code === "KeyC") return () => void (terminal.hasSelection() && copy());
    if (code === "KeyV") return "browser";
    if (code === "KeyF") return deeds.search ?? null;
    if (code === "KeyL") return deeds.leave;
    if (code === "Equal" || code === "NumpadAdd") return () => deeds.fontSize(1);
    if (code === "Minus" || code === "NumpadSubtract") return () => deeds.fontSize(-1);
    if (code === "Digit0") return () => deeds.fontSize(0);
  }
  // Ctrl-V pastes, but for programs that fill the screen: vim selects columns with it, nano turns a page.
  if (ctrl && !alt && !meta && !shift && code === "KeyV" && terminal.buffer.active.type === "normal") return "browser";
  // Ctrl-C copies while something is selected, and interrupts otherwise.
  if (ctrl && !alt && !meta && !shift && code === "KeyC" && terminal.hasSelection()) return copy;
  if (alt && shift && !ctrl && !meta) {
    const { newTerminal, nextTerminal } = deeds;
    if (code === "KeyT") return newTerminal ?? null;
    if (code === "KeyN" && nextTerminal) return () => nextTerminal(1);
    if (code === "KeyP" && nextTerminal) return () => nextTerminal(-1);
  }
  return null;
}
