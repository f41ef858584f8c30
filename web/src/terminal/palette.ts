import type { ITheme } from "@xterm/xterm";

// Two palettes of one harbour, by day and by night. Each colour keeps at least 4.5:1 against its background, save the
// two that programs use for "black on black" tricks.

const night: ITheme = {
  background: "#0a1418",
  foreground: "#d6e2e4",
  cursor: "#ff8463",
  cursorAccent: "#0a1418",
  selectionBackground: "#2d5560",
  selectionInactiveBackground: "#234049",
  black: "#20343b",
  red: "#ff7a66",
  green: "#6fd39a",
  yellow: "#e6c068",
  blue: "#74b3f0",
  magenta: "#d9a0e6",
  cyan: "#66ccd3",
  white: "#c8d5d8",
  brightBlack: "#7f979f",
  brightRed: "#ff9e8c",
  brightGreen: "#97e6b8",
  brightYellow: "#f5d890",
  brightBlue: "#9ecbf7",
  brightMagenta: "#e9bff2",
  brightCyan: "#94e1e6",
  brightWhite: "#f3f8f9",
};

const day: ITheme = {
  background: "#fbfdfd",
  foreground: "#17323a",
  cursor: "#b3341d",
  cursorAccent: "#fbfdfd",
  selectionBackground: "#b9dbe2",
  selectionInactiveBackground: "#d5e7eb",
  black: "#17323a",
  red: "#b3261e",
  green: "#1a6e41",
  yellow: "#855b00",
  blue: "#1f5fa8",
  magenta: "#8a3a9b",
  cyan: "#0b6a74",
  white: "#5b6f76",
  brightBlack: "#4f666e",
  brightRed: "#c43a2c",
  brightGreen: "#1f7a49",
  brightYellow: "#8a6200",
  brightBlue: "#2a6cba",
  brightMagenta: "#9747a8",
  brightCyan: "#0e7681",
  brightWhite: "#30474f",
};

/** The terminal's colours for the page's theme. */
export function palette(dark: boolean): ITheme {
  return dark ? night : day;
}
